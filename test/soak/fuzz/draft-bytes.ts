import type { Random } from '../random.ts'
import type { Draft } from './draft.ts'

/** The bytes of a request. `fill` replaces what stands for something that the gateway has handed out. */
export function draftBytes(draft: Draft, random: Random, fill: (text: string) => string): Buffer {
  const { method, path, version, headers, body, delivery } = draft
  const filled = body === undefined ? undefined : Buffer.from(fill(body))
  const framing: [string, string][] = []
  if (filled)
    framing.push(delivery === 'chunked' ? ['transfer-encoding', 'chunked'] : ['content-length', String(filled.length)])
  const lines = [...headers, ...framing].map(([name, value]) => `${name}: ${fill(value)}\r\n`)
  const head = Buffer.from(`${method} ${fill(path)} HTTP/${version}\r\n${lines.join('')}\r\n`, 'latin1')
  if (!filled) return head
  return Buffer.concat([head, delivery === 'chunked' ? chunked(filled, random) : filled])
}

/** Some bytes of the head other than they were. */
export function scribbled(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes)
  for (let i = random.between(1, 8); i > 0; i--) copy[random.int(Math.min(copy.length, 400))] = random.int(256)
  return copy
}

function chunked(body: Buffer, random: Random): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const size = Math.min(body.length - at, random.between(1, 4_000))
    chunks.push(Buffer.from(`${size.toString(16)}\r\n`), body.subarray(at, at + size), Buffer.from('\r\n'))
    at += size
  }
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])
}
