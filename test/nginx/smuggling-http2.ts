/** HTTP/2 by its bytes: what no client library sends (RFC 9113, RFC 7541 without tables and Huffman codes). */
import type { TLSSocket } from 'node:tls'
import { until } from '../kit/until.ts'
import { HIDDEN, HIDDEN_BODY, QUERY } from './smuggling-shapes.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const TYPES = { data: 0, headers: 1, reset: 3, settings: 4, goAway: 7 } as const
const END_STREAM = 1
const END_HEADERS = 4
const FRAME_HEAD_BYTES = 9
/** A literal without indexing, with a name of its own. */
const LITERAL = 0
const MAX_SHORT_LENGTH = 127

export type Headers = readonly (readonly [name: string, value: string])[]

export interface Http2Shape {
  readonly headers: Headers
  readonly body: string
}

const usual = (...more: Headers): Headers => [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/graphql'],
  [':authority', 'gateway'],
  ['content-type', 'application/json'],
  ['accept', 'application/json'],
  ...more,
]
const replaced = (name: string, value: string): Headers =>
  usual().map(([each, old]) => [each, each === name ? value : old] as const)

const LAST = '0\r\n\r\n'

/** What would be two requests if a proxy wrote it as HTTP/1.1 as it came. */
export const HTTP2_SHAPES: Readonly<Record<string, Http2Shape>> = {
  'a length that is shorter than the body': {
    headers: usual(['content-length', `${QUERY.length}`]),
    body: QUERY + HIDDEN,
  },
  'a length of nothing': { headers: usual(['content-length', '0']), body: HIDDEN },
  'a length that is longer than the body': { headers: usual(['content-length', '9999']), body: HIDDEN_BODY.slice(1) },
  'two lengths': {
    headers: usual(['content-length', `${QUERY.length}`], ['content-length', `${(QUERY + HIDDEN).length}`]),
    body: QUERY + HIDDEN,
  },
  'chunks, which HTTP/2 has not': { headers: usual(['transfer-encoding', 'chunked']), body: LAST + HIDDEN },
  'chunks behind a line end in a value': {
    headers: usual(['x-a', 'b\r\ntransfer-encoding: chunked']),
    body: LAST + HIDDEN,
  },
  'chunks behind a line end in a name': {
    headers: usual(['x-a: b\r\ntransfer-encoding', 'chunked']),
    body: LAST + HIDDEN,
  },
  'a request in a value': { headers: usual(['x-a', `b\r\n\r\n${HIDDEN}`]), body: QUERY },
  'a request in a value, behind bare LF': {
    headers: usual(['x-a', `b\n\n${HIDDEN.replaceAll('\r\n', '\n')}`]),
    body: QUERY,
  },
  'a request in the path': { headers: replaced(':path', `/graphql HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`), body: '' },
  'a request in the method': {
    headers: replaced(':method', `GET /graphql HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`),
    body: '',
  },
  'a request in the authority': { headers: replaced(':authority', `a\r\n\r\n${HIDDEN}`), body: QUERY },
  'a request in the scheme': { headers: replaced(':scheme', `https://a/ HTTP/1.1\r\n\r\n${HIDDEN}`), body: QUERY },
  'a header of connections': { headers: usual(['connection', 'content-length']), body: HIDDEN },
  'an upgrade': { headers: usual(['upgrade', 'websocket'], ['connection', 'upgrade']), body: HIDDEN },
  'a name in capitals': { headers: usual(['Transfer-Encoding', 'chunked']), body: LAST + HIDDEN },
  'a name with a space': { headers: usual(['transfer-encoding ', 'chunked']), body: LAST + HIDDEN },
  'a pseudo-header at the end': { headers: [...usual(), [':path', '/graphql?x=1']], body: HIDDEN },
}

/** An ordinary request in the same form. */
export const HTTP2_QUERY: Http2Shape = { headers: usual(), body: QUERY }

/** Sends a request on a connection of its own. @returns its answer's status; `refused` where there was none. */
export async function askHttp2(socket: TLSSocket, { headers, body }: Http2Shape): Promise<string> {
  let received = Buffer.alloc(0)
  let isClosed = false
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes])
  })
  socket
    .on('error', () => {})
    .on('close', () => {
      isClosed = true
    })
  socket.write(
    Buffer.concat([
      PREFACE,
      frame(TYPES.settings, 0, 0, Buffer.alloc(0)),
      frame(TYPES.headers, END_HEADERS | (body === '' ? END_STREAM : 0), 1, headerBlock(headers)),
      ...(body === '' ? [] : [frame(TYPES.data, END_STREAM, 1, Buffer.from(body))]),
    ]),
  )
  const last = () =>
    framesIn(received).find(({ type }) => type === TYPES.headers || type === TYPES.reset || type === TYPES.goAway)
  await until('the request is answered or refused', () => isClosed || last() !== undefined)
  socket.destroy()
  return last()?.type === TYPES.headers ? 'answered' : 'refused'
}

function headerBlock(headers: Headers): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.from([LITERAL]), text(name), text(value)]))
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  const { length } = bytes
  if (length < MAX_SHORT_LENGTH) return Buffer.concat([Buffer.from([length]), bytes])
  // An integer of seven bits, and the rest in groups of seven.
  const head = [MAX_SHORT_LENGTH]
  let rest = length - MAX_SHORT_LENGTH
  for (; rest >= 128; rest >>= 7) head.push((rest & 127) | 128)
  return Buffer.concat([Buffer.from([...head, rest]), bytes])
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function framesIn(bytes: Buffer): { readonly type: number }[] {
  const frames: { type: number }[] = []
  for (let at = 0; at + FRAME_HEAD_BYTES <= bytes.length; at += FRAME_HEAD_BYTES + bytes.readUIntBE(at, 3)) {
    frames.push({ type: bytes[at + 3] as number })
  }
  return frames
}
