/** The JSON of one part of a multipart subscription. */
export interface Part {
  readonly payload?: PartResult | null
  readonly errors?: NonNullable<PartResult['errors']>
}

export interface PartResult {
  readonly data?: Record<string, unknown> | null
  readonly errors?: { message: string; extensions?: Record<string, unknown> }[]
  readonly extensions?: Record<string, unknown>
}

export interface Parts {
  readonly parts: Part[]
  /** The closing boundary has come. */
  readonly isClosed: boolean
}

/** A delimiter line (RFC 2046 section 5.1.1), at the start or after a line break, with its white space. */
const DELIMITER = /(?:^|\r\n)--graphql(--)?[ \t]*(?=\r\n|$)/g

/**
 * Reads a body of parts as RFC 2046 says, with nothing of ours: what is before the first delimiter and after the closing
 * one is nobody's, and a part is whole once the next delimiter has come.
 */
export function partsOf(body: string): Parts {
  const delimiters = [...body.matchAll(DELIMITER)]
  const parts: Part[] = []
  for (const [i, { 0: text, 1: closing, index }] of delimiters.entries()) {
    if (closing) return { parts, isClosed: true }
    const next = delimiters[i + 1]
    if (!next) break
    parts.push(partOf(body.slice(index + text.length, next.index)))
  }
  return { parts, isClosed: false }
}

function partOf(text: string): Part {
  const end = text.indexOf('\r\n\r\n')
  const head = text.slice(0, end).trim().toLowerCase()
  if (end < 0 || head !== 'content-type: application/json') throw new Error(`A part without its head: ${text}`)
  return JSON.parse(text.slice(end + 4))
}
