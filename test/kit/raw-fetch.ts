import { connect } from 'node:net'

/*
 * One fetch from a Kafka broker by hand, without any client: version 11 of the request, as Sluice sends it.
 * https://kafka.apache.org/protocol#The_Messages_Fetch
 */
const FETCH = 1
const VERSION = 11
const READ_COMMITTED = 1
const TIMEOUT_MS = 30_000

export interface RawFetch {
  readonly errorCode: number
  readonly lastStableOffset: number
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[]
  /** The record set as it was transferred. */
  readonly set: Buffer
}

export async function rawFetch(
  broker: string,
  topic: string,
  { partition = 0, offset = 0, maxBytes = 64 * 1024 * 1024 } = {},
): Promise<RawFetch> {
  const request = Buffer.concat([
    int16(FETCH),
    int16(VERSION),
    int32(1), // correlation
    text('raw-fetch'),
    int32(-1), // no replica
    int32(0), // does not wait
    int32(0),
    int32(maxBytes),
    Buffer.from([READ_COMMITTED]),
    int32(0), // no session
    int32(-1),
    int32(1), // topics
    text(topic),
    int32(1), // partitions
    int32(partition),
    int32(-1), // any leader epoch
    int64(offset),
    int64(-1),
    int32(maxBytes),
    int32(0), // forgotten topics
    text(''), // rack
  ])
  return parse(await exchange(broker, Buffer.concat([int32(request.length), request])))
}

function exchange(broker: string, request: Buffer): Promise<Buffer> {
  const [host, port] = broker.split(':') as [string, string]
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host)
    const received: Buffer[] = []
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('The broker does not answer')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('The broker closed the connection')))
    socket.on('data', (chunk) => {
      received.push(chunk)
      const bytes = Buffer.concat(received)
      if (bytes.length < 4 || bytes.length < 4 + bytes.readInt32BE(0)) return
      resolve(bytes.subarray(4))
      socket.destroy()
    })
    socket.write(request)
  })
}

function parse(response: Buffer): RawFetch {
  let at = 4 + 4 // correlation, throttle time
  const next = (size: number) => {
    at += size
    return at - size
  }
  const topLevelError = response.readInt16BE(next(2))
  if (topLevelError !== 0) throw new Error(`The broker answers with error ${topLevelError}`)
  next(4 + 4) // session, number of topics
  next(response.readInt16BE(next(2)))
  next(4 + 4) // number of partitions, partition
  const errorCode = response.readInt16BE(next(2))
  next(8) // high watermark
  const lastStableOffset = Number(response.readBigInt64BE(next(8)))
  next(8) // log start offset
  const aborted = Array.from({ length: Math.max(0, response.readInt32BE(next(4))) }, () => ({
    producerId: response.readBigInt64BE(next(8)),
    firstOffset: Number(response.readBigInt64BE(next(8))),
  }))
  next(4) // preferred replica
  const size = Math.max(0, response.readInt32BE(next(4)))
  return { errorCode, lastStableOffset, aborted, set: response.subarray(at, at + size) }
}

function written(size: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size)
  write(bytes)
  return bytes
}
const int16 = (value: number) => written(2, (bytes) => bytes.writeInt16BE(value))
const int32 = (value: number) => written(4, (bytes) => bytes.writeInt32BE(value))
const int64 = (value: number) => written(8, (bytes) => bytes.writeBigInt64BE(BigInt(value)))
const text = (value: string) => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
