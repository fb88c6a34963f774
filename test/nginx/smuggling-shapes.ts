/**
 * Requests that two parsers may cut at different places, so that one takes for a second request what the other takes
 * for a part of the first: each hides a mutation.
 */

export const HIDDEN_BODY = JSON.stringify({ query: 'mutation { shout(text: "smuggled") }' })
export const HIDDEN = [
  'POST /graphql HTTP/1.1',
  'Host: gateway',
  'Content-Type: application/json',
  'Connection: close',
  `Content-Length: ${HIDDEN_BODY.length}`,
  '',
  HIDDEN_BODY,
].join('\r\n')

/** What is asked for in the open: it is no mutation. */
export const QUERY = JSON.stringify({ query: '{ hello }' })

interface Parts {
  readonly line?: string
  readonly headers: readonly string[]
  readonly body: string
  readonly newline?: string
}

/** @param more the lines about the length of the body. */
function request({ line = 'POST /graphql HTTP/1.1', headers, body, newline = '\r\n' }: Parts): string {
  const usual = ['Host: gateway', 'Content-Type: application/json', 'Accept: application/json', 'Connection: close']
  return [line, ...usual, ...headers, '', body].join(newline)
}

const hex = (text: string): string => Buffer.byteLength(text).toString(16)
const chunk = (text: string, extension = ''): string => `${hex(text)}${extension}\r\n${text}\r\n`
const LAST = '0\r\n\r\n'
const chunked = (text: string, extension?: string): string => `${chunk(text, extension)}${LAST}`
const lengthOf = (text: string): string => `Content-Length: ${Buffer.byteLength(text)}`

const CL_TE = LAST + HIDDEN
/** By its length it ends after the size of the first chunk. */
const TE_CL = chunked(HIDDEN)
const short = (body: string): string => `Content-Length: ${body.indexOf('\r\n') + 2}`

/** Shapes that nobody may take for two requests; most are refused. */
export const SHAPES: Readonly<Record<string, string>> = {
  'a length and chunks: the length is longer': request({
    headers: [lengthOf(CL_TE), 'Transfer-Encoding: chunked'],
    body: CL_TE,
  }),
  'chunks and a length: the length is shorter': request({
    headers: ['Transfer-Encoding: chunked', short(TE_CL)],
    body: TE_CL,
  }),
  'two lengths': request({ headers: [lengthOf(QUERY), lengthOf(QUERY + HIDDEN)], body: QUERY + HIDDEN }),
  'two lengths, the shorter one last': request({
    headers: [lengthOf(QUERY + HIDDEN), lengthOf(QUERY)],
    body: QUERY + HIDDEN,
  }),
  'two lengths in one header': request({
    headers: [`Content-Length: ${QUERY.length}, ${(QUERY + HIDDEN).length}`],
    body: QUERY + HIDDEN,
  }),
  'a length with a sign': request({ headers: [`Content-Length: +${(QUERY + HIDDEN).length}`], body: QUERY + HIDDEN }),
  'a length in hex': request({ headers: [`Content-Length: 0x${hex(QUERY + HIDDEN)}`], body: QUERY + HIDDEN }),
  'a length that overflows': request({
    headers: [`Content-Length: ${2n ** 64n + BigInt(QUERY.length)}`],
    body: QUERY + HIDDEN,
  }),
  'a length with a space before the colon': request({
    headers: [`Content-Length : ${(QUERY + HIDDEN).length}`],
    body: QUERY + HIDDEN,
  }),
  'a length in a folded line': request({
    headers: ['X-Folded: a', ` ${lengthOf(QUERY + HIDDEN)}`],
    body: QUERY + HIDDEN,
  }),
  'a length behind a bare CR': request({ headers: [`X: a\r${lengthOf(CL_TE)}`], body: CL_TE }),
  'a length behind a NUL': request({ headers: [`X: a\0`, lengthOf(CL_TE)], body: CL_TE }),
  'two chunked encodings': request({
    headers: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity', lengthOf(CL_TE)],
    body: CL_TE,
  }),
  'chunked, and something else after it': request({
    headers: ['Transfer-Encoding: chunked, identity', lengthOf(CL_TE)],
    body: CL_TE,
  }),
  'an encoding that ends like chunked': request({
    headers: ['Transfer-Encoding: xchunked', lengthOf(CL_TE)],
    body: CL_TE,
  }),
  'chunked with a space before the colon': request({
    headers: ['Transfer-Encoding : chunked', lengthOf(CL_TE)],
    body: CL_TE,
  }),
  'chunked behind a tab': request({ headers: ['Transfer-Encoding:\tchunked', lengthOf(CL_TE)], body: CL_TE }),
  'chunked behind a vertical tab': request({
    headers: ['Transfer-Encoding: \x0bchunked', lengthOf(CL_TE)],
    body: CL_TE,
  }),
  'chunked in quotes': request({ headers: ['Transfer-Encoding: "chunked"', lengthOf(CL_TE)], body: CL_TE }),
  'chunked in a folded line': request({ headers: ['Transfer-Encoding:', ' chunked', lengthOf(CL_TE)], body: CL_TE }),
  'chunked behind a line with a bare CR': request({
    headers: ['X: a\rTransfer-Encoding: chunked', lengthOf(CL_TE)],
    body: CL_TE,
  }),
  'chunked behind a bare LF': request({ headers: ['X: a\nTransfer-Encoding: chunked', lengthOf(CL_TE)], body: CL_TE }),
  'chunks in HTTP/1.0': request({
    line: 'POST /graphql HTTP/1.0',
    headers: ['Transfer-Encoding: chunked', lengthOf(CL_TE)],
    body: CL_TE,
  }),
  'a chunk size with a sign': request({
    headers: ['Transfer-Encoding: chunked'],
    body: `+${hex(QUERY)}\r\n${QUERY}\r\n0\r\n\r\n${HIDDEN}`,
  }),
  'a chunk size that overflows': request({
    headers: ['Transfer-Encoding: chunked'],
    body: `1000000000000000${hex(QUERY)}\r\n${QUERY}\r\n0\r\n\r\n${HIDDEN}`,
  }),
  'a chunk extension with a bare LF in it': request({
    headers: ['Transfer-Encoding: chunked'],
    body: `${hex(QUERY)};a\n${QUERY}\r\n${hex(HIDDEN)}\r\n${HIDDEN}\r\n${LAST}`,
  }),
  'a chunk that is longer than its size': request({
    headers: ['Transfer-Encoding: chunked'],
    body: `${hex(QUERY)}\r\n${QUERY}XX\r\n${LAST}${HIDDEN}`,
  }),
  'a request behind a trailer': request({
    headers: ['Transfer-Encoding: chunked'],
    body: `${chunk(QUERY)}0\r\n${lengthOf(HIDDEN)}\r\n\r\n`,
  }),
  'a request in a header': request({
    headers: [lengthOf(QUERY), `X: a\r\n\0${HIDDEN.replaceAll('\r\n', '\n')}`],
    body: QUERY,
  }),
  'a GET with a body': request({
    line: 'GET /graphql?query=%7Bhello%7D HTTP/1.1',
    headers: [lengthOf(HIDDEN)],
    body: HIDDEN,
  }),
  'a GET with chunks': request({
    line: 'GET /graphql?query=%7Bhello%7D HTTP/1.1',
    headers: ['Transfer-Encoding: chunked'],
    body: chunked(HIDDEN),
  }),
  'a DELETE with a body': request({ line: 'DELETE /graphql HTTP/1.1', headers: [lengthOf(HIDDEN)], body: HIDDEN }),
  'a line end in the path': request({
    line: `GET /graphql?query=%7Bhello%7D&x=%0d%0a%0d%0a${encodeURIComponent(HIDDEN)} HTTP/1.1`,
    headers: [],
    body: '',
  }),
  'two spaces in the first line': request({
    line: 'POST /graphql  HTTP/1.1',
    headers: [lengthOf(HIDDEN)],
    body: HIDDEN,
  }),
  'no version': request({ line: 'GET /graphql?query=%7Bhello%7D', headers: [lengthOf(HIDDEN)], body: HIDDEN }),
  'an upgrade to HTTP/2 in clear text': request({
    headers: ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__', lengthOf(HIDDEN)],
    body: HIDDEN,
  }),
  'what a proxy is asked to drop': request({
    headers: ['Connection: close, Content-Length', lengthOf(HIDDEN)],
    body: HIDDEN,
  }),
  'a length of something expected': request({ headers: ['Expect: 100-continue', lengthOf(HIDDEN)], body: HIDDEN }),
}

/** Odd, and one request: it is answered. */
export const HARMLESS: Readonly<Record<string, string>> = {
  'an ordinary request': request({ headers: [lengthOf(QUERY)], body: QUERY }),
  'a chunk with an extension': request({
    headers: ['Transfer-Encoding: chunked'],
    body: chunked(QUERY, ';name="value"'),
  }),
  'an absolute form': request({
    line: 'POST https://gateway/graphql HTTP/1.1',
    headers: [lengthOf(QUERY)],
    body: QUERY,
  }),
  'an empty line in front': `\r\n${request({ headers: [lengthOf(QUERY)], body: QUERY })}`,
}
