const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Thrown where a number of a value that was parsed as usual has been rounded: it is to be parsed exactly. */
export class Rounded extends Error {
  override readonly name = 'Rounded'
}

/**
 * Parses JSON, and converts the value. Whole numbers are numbers; where `convert` throws `Rounded`, it is called again
 * with bigints for those beyond 2^53.
 */
export function parseExactly(bytes: Buffer, convert: (value: unknown) => unknown): unknown {
  const text = utf8.decode(bytes)
  try {
    return convert(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof Rounded)) throw error
    return convert(JSON.parse(text, revive as (name: string, value: unknown) => unknown))
  }
}

const WHOLE = /^-?\d{1,20}$/

function revive(_name: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value
  return WHOLE.test(source) ? BigInt(source) : value
}
