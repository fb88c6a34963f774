import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** A whole number as text, from `min` to `max`. */
export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .meta({ wants: `a whole number from ${min} to ${max}` })

/** Separated by commas. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

export const boolean = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ wants: 'true or false' })

/** The path of a file; its value is the file's text. */
export const readable = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    context.addIssue({ code: 'custom', message: 'unreadable' })
    return z.NEVER
  }
})
