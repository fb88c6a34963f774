import fc from 'fast-check'
import { expect, test } from 'vitest'
import { committed, type RecordBatch } from '../../../../../src/streams/source/kafka/protocol/fetch-response.ts'

type Batch = RecordBatch<{ key: Buffer | null; at: number }>

const plain = (first: number, count: number, rest: Partial<Batch> = {}): Batch => ({
  firstOffset: String(first),
  lastOffsetDelta: count - 1,
  producerId: '-1',
  inTransaction: false,
  isControlBatch: false,
  records: Array.from({ length: count }, (_, i) => ({ key: null, at: first + i })),
  ...rest,
})
const inTransaction = (first: number, count: number, producerId: string) =>
  plain(first, count, { producerId, inTransaction: true })
const marker = (at: number, producerId: string, type: 'abort' | 'commit') =>
  plain(at, 1, {
    producerId,
    inTransaction: true,
    isControlBatch: true,
    records: [{ key: Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]), at }],
  })
const offsets = ({ records }: { records: { at: number }[] }) => records.map(({ at }) => at)

test('a batch that compaction has emptied moves the position past its end', () => {
  const emptied = { ...plain(5, 4), records: [] }
  expect(committed([plain(3, 2), emptied], [])).toMatchObject({ nextOffset: 9 })
  expect(committed([emptied], [])).toEqual({ records: [], nextOffset: 9 })
})

test('a batch whose last records compaction has taken ends where it ended', () => {
  const compacted = { ...plain(0, 10), records: [{ key: null, at: 2 }] }
  expect(committed([compacted], [])).toEqual({ records: [{ key: null, at: 2 }], nextOffset: 10 })
})

test('nothing fetched moves nothing', () => {
  expect(committed([], [])).toEqual({ records: [], nextOffset: undefined })
})

test('an aborted transaction is left out up to its marker, and what its producer sends next is not', () => {
  const batches = [inTransaction(0, 2, '7'), plain(2, 1), marker(3, '7', 'abort'), inTransaction(4, 1, '7')]
  expect(offsets(committed(batches, [{ producerId: '7', firstOffset: '0' }]))).toEqual([2, 4])
})

test('aborted transactions that began before the first batch are left out, in whatever order they are listed', () => {
  const batches = [inTransaction(10, 1, '1'), inTransaction(11, 1, '2'), inTransaction(12, 1, '3')]
  const aborted = [
    { producerId: '2', firstOffset: '6' },
    { producerId: '1', firstOffset: '4' },
  ]
  expect(offsets(committed(batches, aborted))).toEqual([12])
})

test('a record that looks like a marker is none', () => {
  const looksLikeAbort = { key: Buffer.alloc(4), at: 0 }
  const batches = [
    plain(0, 2, { producerId: '7', inTransaction: true, records: [looksLikeAbort, { key: null, at: 1 }] }),
  ]
  expect(offsets(committed(batches, [{ producerId: '7', firstOffset: '0' }]))).toEqual([])
})

test('a transaction is delivered if and only if it was not aborted, however transactions interleave', () => {
  // Each step is one producer's: it sends a record, or ends its transaction.
  const step = fc.record({ producer: fc.nat(3), does: fc.constantFrom('send', 'send', 'commit', 'abort') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(10), (steps, start) => {
      const batches: Batch[] = []
      const open = new Map<number, number[]>()
      const aborted: { producerId: string; firstOffset: string; lastOffset: number }[] = []
      const lost = new Set<number>()
      const send = (producer: number, end: 'commit' | 'abort') => {
        const offset = batches.length
        batches.push(marker(offset, String(producer), end))
        const own = open.get(producer) ?? []
        if (end === 'abort' && own.length > 0) {
          aborted.push({ producerId: String(producer), firstOffset: String(own[0]), lastOffset: offset })
          for (const each of own) lost.add(each)
        }
        open.delete(producer)
      }
      for (const { producer, does } of steps) {
        if (does === 'commit' || does === 'abort') {
          if (open.has(producer)) send(producer, does)
        } else {
          open.set(producer, [...(open.get(producer) ?? []), batches.length])
          batches.push(inTransaction(batches.length, 1, String(producer)))
        }
      }
      for (const producer of [...open.keys()]) send(producer, 'commit')
      // A broker lists those that reach into what was fetched, in the order of their ends.
      const listed = aborted.filter(({ lastOffset }) => lastOffset >= start)
      const expected = batches.flatMap((batch, at) => (at < start || batch.isControlBatch || lost.has(at) ? [] : [at]))
      expect(offsets(committed(batches.slice(start), listed))).toEqual(expected)
    }),
  )
})
