/** A media type or range of a header, with what decides in it. */
export interface MediaRange {
  /** In lower case: `text/event-stream`, `text/*`. */
  readonly type: string
  /** Parameters in order, names in lower case, values without their quotes. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

/** A quoted string with its escapes (RFC 9110 section 5.6.4), up to the end where it is not closed; or other characters. */
const PIECE = /"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|[^",;]+/y
const ESCAPE = /\\([\s\S])/g

/**
 * The media ranges of a header: a list with parameters, in which a quoted string may have commas and semicolons (RFC 9110
 * sections 5.6.1, 5.6.6 and 12.5.1). Linear in the length of the text.
 */
export function mediaRanges(text: string): MediaRange[] {
  const ranges: MediaRange[] = []
  let parts: string[] = []
  let part = ''
  for (let at = 0; at <= text.length; ) {
    const char = text[at]
    if (char !== undefined && char !== ',' && char !== ';') {
      PIECE.lastIndex = at
      const [piece = char] = PIECE.exec(text) ?? []
      part += piece
      at += piece.length
      continue
    }
    at++
    parts.push(part.trim())
    part = ''
    if (char === ';') continue
    const [type = '', ...parameters] = parts
    if (type !== '') ranges.push({ type: type.toLowerCase(), parameters: parameters.flatMap(parameterOf) })
    parts = []
  }
  return ranges
}

/** A type or a range: two tokens (RFC 9110 section 5.6.2). */
const RANGE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/

/**
 * An `accept` header with nothing but types and q values: no other parameter decides which answer is acceptable. What is
 * no range is left out. `typeOf`: what a range counts as.
 */
export function withoutParameters(accept: string, typeOf = ({ type }: MediaRange): string => type): string {
  return mediaRanges(accept)
    .filter(({ type }) => RANGE.test(type))
    .map((range) => {
      const type = typeOf(range)
      const [, q = ''] = range.parameters.find(([name]) => name === 'q') ?? []
      // What is no number is not acceptable.
      return q === '' ? type : `${type};q=${Number.parseFloat(q) || 0}`
    })
    .join(', ')
}

function parameterOf(text: string): [string, string][] {
  const equals = text.indexOf('=')
  if (equals < 0) return []
  return [[text.slice(0, equals).trim().toLowerCase(), unquoted(text.slice(equals + 1).trim())]]
}

function unquoted(value: string): string {
  if (!value.startsWith('"')) return value
  return value.slice(1, value.length > 1 && value.endsWith('"') ? -1 : undefined).replace(ESCAPE, '$1')
}
