import { createSocket, type Socket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Seconds for which an answer holds: the least that Nginx counts. */
const TTL_S = 1
const HEAD_BYTES = 12
const TYPE_A = 1

export interface DnsServer {
  /** For Nginx's `resolver`. */
  readonly address: string
  /** The IPv4 address of every name, from now on. */
  points(to: string): void
  readonly questions: number
}

/** A DNS server that knows one address (RFC 1035), and answers no other question than A. */
export async function startDnsServer(first: string): Promise<DnsServer> {
  let current = first
  let questions = 0
  const socket: Socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    questions++
    socket.send(answer(query, current), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => socket.close(() => resolve())))
  return {
    address: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    points(to) {
      current = to
    },
    get questions() {
      return questions
    },
  }
}

function answer(query: Buffer, address: string): Buffer {
  const endOfName = query.indexOf(0, HEAD_BYTES) + 1
  const question = query.subarray(HEAD_BYTES, endOfName + 4)
  const isKnown = query.readUInt16BE(endOfName) === TYPE_A
  const head = Buffer.from(query.subarray(0, HEAD_BYTES))
  head.writeUInt16BE(0x8180, 2) // an answer, without an error
  head.writeUInt16BE(isKnown ? 1 : 0, 6)
  head.fill(0, 8)
  if (!isKnown) return Buffer.concat([head, question])
  const record = Buffer.from([
    0xc0,
    HEAD_BYTES,
    0,
    TYPE_A,
    0,
    1,
    0,
    0,
    0,
    TTL_S,
    0,
    4,
    ...address.split('.').map(Number),
  ])
  return Buffer.concat([head, question, record])
}
