import fc from 'fast-check'
import type { RawRecord } from '../../src/streams/event.ts'
import { CODECS, type Codec, marker, messageSet, recordBatch, type TestRecord } from './record-batches.ts'

/** A partition's log as a broker might hold it, in all formats, with what of it is to be seen. */
export interface TestLog {
  readonly batches: readonly LoggedBatch[]
  readonly aborted: readonly AbortedInLog[]
}
export interface LoggedBatch {
  readonly bytes: Buffer
  readonly magic: 0 | 1 | 2
  readonly codec: Codec
  /** Undefined: only known when decompressed. */
  readonly firstOffset: number | undefined
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly isControl: boolean
  readonly isLogAppendTime: boolean
  readonly isMoved: boolean
  /** Also those of aborted transactions. */
  readonly records: readonly TestRecord[]
  isAborted: boolean
  readonly producerId: bigint | undefined
}
export interface AbortedInLog {
  readonly producerId: bigint
  readonly firstOffset: number
  /** Of its marker. */
  readonly lastOffset: number
}

const PARTITION = 7
/** Beyond 32 bits, and one that is not. */
const PRODUCERS = [5n, 2n ** 40n + 5n, 2n ** 63n - 1n]

const bytes = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.nat(80))
      .map(([text, times]) => Buffer.from(text.repeat(times))),
  },
)
/** Some are names of an object's own properties. */
const name = fc.oneof(fc.constantFrom('a', 'b', '__proto__', 'constructor'), fc.string({ maxLength: 5 }))
const timestamp = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 2 ** 52, -(2 ** 52), 2 ** 31, 2 ** 28 - 1, 2 ** 28) },
)
const sent = fc.record({
  key: bytes,
  value: bytes,
  headers: fc.oneof(fc.constant([]), fc.array(fc.tuple(name, bytes), { maxLength: 4 })),
  timestamp,
  isKept: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
})
/** A producer of a transaction, or one without sends records, or ends its transaction. */
const step = fc.record({
  does: fc.constantFrom('send', 'send', 'send', 'commit', 'abort'),
  producer: fc.option(fc.nat(PRODUCERS.length - 1), { freq: 2 }),
  magic: fc.constantFrom(0, 1, 2, 2, 2),
  codec: fc.constantFrom(...CODECS),
  records: fc.array(sent, { minLength: 1, maxLength: 6 }),
  isCompacted: fc.boolean(),
  isEmptied: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  logAppendTime: fc.option(timestamp, { nil: undefined, freq: 3 }),
  deleteHorizon: fc.option(timestamp, { nil: undefined, freq: 5 }),
  leaderEpoch: fc.nat(3),
})
type Step = (typeof step extends fc.Arbitrary<infer T> ? T : never) & { readonly does: string }

/** Logs that begin at an offset of their own, below or beyond 32 bits. */
export const testLogs: fc.Arbitrary<TestLog> = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 1_000, 2 ** 40))
  .map(([steps, start]) => logOf(steps, start))

function logOf(steps: readonly Step[], start: number): TestLog {
  const batches: LoggedBatch[] = []
  const aborted: AbortedInLog[] = []
  const open = new Map<bigint, LoggedBatch[]>()
  let next = start

  const end = (producerId: bigint, type: 'commit' | 'abort', leaderEpoch: number) => {
    const own = open.get(producerId)
    if (!own) return
    open.delete(producerId)
    if (type === 'abort') {
      aborted.push({ producerId, firstOffset: own[0]?.firstOffset as number, lastOffset: next })
      for (const batch of own) batch.isAborted = true
    }
    const bytes = marker(next, producerId, type, { leaderEpoch })
    batches.push({ ...controlBatch(next, leaderEpoch), bytes, producerId })
    next++
  }

  for (const each of steps) {
    const producerId = each.producer === null ? undefined : (PRODUCERS[each.producer] as bigint)
    if (each.does !== 'send') {
      if (producerId !== undefined) end(producerId, each.does as 'commit' | 'abort', each.leaderEpoch)
      continue
    }
    const made = sentBatches(each, next, producerId)
    for (const batch of made) batches.push(batch)
    if (producerId !== undefined) open.set(producerId, [...(open.get(producerId) ?? []), ...made])
    next += each.records.length
  }
  for (const producerId of [...open.keys()]) end(producerId, 'commit', 0)
  return { batches, aborted }
}

function controlBatch(offset: number, leaderEpoch: number): Omit<LoggedBatch, 'bytes' | 'producerId'> {
  const flags = { isControl: true, isLogAppendTime: false, isMoved: false, isAborted: false }
  return { magic: 2, codec: 'none', firstOffset: offset, lastOffset: offset, leaderEpoch, records: [], ...flags }
}

/** What one request of a producer becomes in the log: a batch, or several messages, or nothing after compaction. */
function sentBatches(each: Step, firstOffset: number, producerId: bigint | undefined): LoggedBatch[] {
  const magic = producerId === undefined ? (each.magic as 0 | 1 | 2) : 2
  const { codec, leaderEpoch } = each
  const logAppendTime = magic === 0 ? undefined : each.logAppendTime
  const lastOffset = firstOffset + each.records.length - 1
  const kept = each.records
    .map((record, i) => ({ ...record, offset: firstOffset + i, isKept: !each.isCompacted || record.isKept }))
    .filter(({ isKept }) => isKept && !each.isEmptied)
  const records: TestRecord[] = kept.map(({ offset, timestamp, key, value, headers }) => ({
    offset,
    timestamp: magic === 0 ? -1 : (logAppendTime ?? timestamp),
    key,
    value,
    headers: magic === 2 ? headers : [],
  }))
  const common = { magic, codec, isControl: false, isLogAppendTime: logAppendTime !== undefined, isAborted: false }
  const batch = { ...common, leaderEpoch: magic === 2 ? leaderEpoch : -1, isMoved: false, producerId }
  if (magic === 2) {
    const { deleteHorizon } = each
    const isTransactional = producerId !== undefined
    const options = { codec, firstOffset, lastOffset, leaderEpoch, logAppendTime, deleteHorizon, isTransactional }
    const bytes = recordBatch(kept, isTransactional ? { ...options, producerId } : options)
    return [{ ...batch, bytes, firstOffset, lastOffset, records, isMoved: deleteHorizon !== undefined }]
  }
  if (codec === 'none') {
    return records.map((record, i) => ({
      ...batch,
      bytes: messageSet(magic, kept.slice(i, i + 1), { logAppendTime }),
      firstOffset: record.offset,
      lastOffset: record.offset,
      records: [record],
    }))
  }
  const last = kept.at(-1)
  // Zstandard is not in these formats.
  if (codec === 'zstd' || last === undefined) return []
  const bytes = messageSet(magic, kept, { codec, logAppendTime, firstOffset })
  return [{ ...batch, bytes, firstOffset: undefined, lastOffset: last.offset, records }]
}

export interface PlainRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  /** Values in hexadecimal, in the order in which they were sent; null: none. */
  readonly headers: Readonly<Record<string, readonly (string | null)[]>>
}

const hex = (buffer: Buffer | string | null | undefined): string | null => {
  if (buffer === null || buffer === undefined) return null
  return typeof buffer === 'string' ? buffer : buffer.toString('hex')
}

/** A record with all that its getters return. */
export function plainRecord({ partition, offset, timestamp, key, value, headers = {} }: RawRecord): PlainRecord {
  const entries = Object.entries(headers).map(([name, values]) => [name, [values].flat().map(hex)])
  return { partition, offset, timestamp, key: hex(key), value: hex(value), headers: Object.fromEntries(entries) }
}

/** What is to be read of it. */
export function expectedRecord(
  { offset, timestamp, key, value, headers }: TestRecord,
  partition = PARTITION,
): PlainRecord {
  const byName = new Map<string, (string | null)[]>()
  for (const [name, each] of headers) byName.set(name, [...(byName.get(name) ?? []), hex(each)])
  return { partition, offset, timestamp, key: hex(key), value: hex(value), headers: Object.fromEntries(byName) }
}
