import { VALUE_SCHEMAS } from './zod.ts'

const RFC_3339 = `/** The year 9999, which text by RFC 3339 ends with, in milliseconds; and the year 1. */
const MAX_MS = 253_402_300_799_999
const MIN_MS = -62_135_596_800_000
`

const SOURCES: Readonly<Record<string, string>> = {
  [VALUE_SCHEMAS.s]: `/** Seconds since the epoch, as text by RFC 3339. */
export const ${VALUE_SCHEMAS.s} = z
  .number()
  .min(MIN_MS / 1000)
  .max(MAX_MS / 1000)
  .transform((seconds) => new Date(seconds * 1000).toISOString())
  .pipe(z.iso.datetime())
`,
  [VALUE_SCHEMAS.ms]: `/** Milliseconds since the epoch, as text by RFC 3339. */
export const ${VALUE_SCHEMAS.ms} = z
  .int()
  .min(MIN_MS)
  .max(MAX_MS)
  .transform((milliseconds) => new Date(milliseconds).toISOString())
  .pipe(z.iso.datetime())
`,
  [VALUE_SCHEMAS.us]: `/** Microseconds since the epoch, as text by RFC 3339 with six digits of the second. */
export const ${VALUE_SCHEMAS.us} = z
  .int()
  .transform((microseconds) => {
    const milliseconds = Math.floor(microseconds / 1000)
    const rest = String(microseconds - milliseconds * 1000).padStart(3, '0')
    return new Date(milliseconds).toISOString().replace('Z', \`\${rest}Z\`)
  })
  .pipe(z.iso.datetime())
`,
  [VALUE_SCHEMAS.decimal]: `/** A number, as decimal text without an exponent: what clients get is not rounded again. */
export const ${VALUE_SCHEMAS.decimal} = z
  .number()
  .min(-1e15)
  .max(1e15)
  .transform((value) => (/e/.test(String(value)) ? value.toFixed(20).replace(/\\.?0+$/, '') : String(value)))
  .pipe(z.string())
`,
}

/** `topics/values.ts`: what numbers of several topics become. Undefined: no topic needs it. */
export function valuesSource(used: ReadonlySet<string>): string | undefined {
  const needed = Object.entries(SOURCES).filter(([name]) => used.has(name))
  if (needed.length === 0) return undefined
  const limits = [VALUE_SCHEMAS.s, VALUE_SCHEMAS.ms].some((name) => used.has(name)) ? [RFC_3339] : []
  return ["import { z } from 'zod'\n", ...limits, ...needed.map(([, source]) => source)].join('\n')
}
