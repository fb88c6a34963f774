import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { Window } from '../../../src/streams/feed/window.ts'
import { Statistics } from '../../kit/statistics.ts'

/** Places in a window, held against a plain list of what it holds. */
const PARTITIONS = 3

const pushes = fc.array(
  fc.record({
    partition: fc.nat(PARTITIONS - 1),
    hole: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 3 })),
    timestamp: fc.nat(20),
  }),
  { maxLength: 60, size: 'max' },
)
const vectors = fc.array(fc.integer({ min: -1, max: 30 }), { minLength: 0, maxLength: PARTITIONS + 1 })

function fill(events: typeof pushes extends fc.Arbitrary<infer T> ? T : never, maxBytes: number) {
  const window = new Window<{ n: number }>({ maxBytes, maxAgeMs: 1e15 })
  const all: StreamEvent<{ n: number }>[] = []
  const head = new Array<number>(PARTITIONS).fill(0)
  for (const { partition, hole, timestamp } of events) {
    const offset = (head[partition] as number) + hole
    head[partition] = offset + 1
    const event = { kind: 'event', topic: 't', partition, offset, timestamp, key: null, headers: {} } as const
    all.push({ ...event, value: { n: all.length } })
    window.push(all.at(-1) as StreamEvent<{ n: number }>, 0)
  }
  /** What is held, with its sequence numbers. */
  const held = () => {
    const list: { readonly seq: number; readonly event: StreamEvent<{ n: number }> }[] = []
    for (let seq = window.firstSeq; seq < window.nextSeq; seq++)
      list.push({ seq, event: window.at(seq) as StreamEvent<{ n: number }> })
    return list
  }
  return { window, all, head, held }
}

const maxBytes = fc.constantFrom(700, 3000, 1_000_000)

test('a place in the window is that of a plain list', () => {
  const statistics = new Statistics('window places', ['found', 'at its end', 'evicted', 'start', 'nothing unseen'])
  fc.assert(
    fc.property(pushes, maxBytes, vectors, (events, bytes, vector) => {
      const { window, held, head } = fill(events, bytes)
      const list = held()
      const isSeen = ({ event }: (typeof list)[number]) => event.offset < (vector[event.partition] ?? 0)
      const start = list.find((one) => !isSeen(one))?.seq ?? window.nextSeq
      expect(window.startOf(vector)).toBe(start)
      expect(window.endOf(vector)).toBe((list.findLast(isSeen)?.seq ?? window.firstSeq - 1) + 1)
      statistics.count(start === window.nextSeq ? 'nothing unseen' : 'start')
      if (window.firstSeq > 0) statistics.count('evicted')
      for (let partition = 0; partition <= PARTITIONS; partition++) {
        for (let offset = 0; offset < 25; offset += 3) {
          const found = list.find(({ event }) => event.partition === partition && event.offset >= offset)
          expect(window.seqOf(partition, offset)).toBe(found?.seq ?? window.nextSeq)
          statistics.count(found ? 'found' : 'at its end')
        }
      }
      for (const { seq, event } of list) {
        const at = window.vectorAt(seq, head)
        const expected = head.map(
          (offset, p) => list.find((one) => one.seq >= seq && one.event.partition === p)?.event.offset ?? offset,
        )
        expect(at).toEqual(expected)
        expect(window.startOf(at)).toBe(seq)
        expect(window.endOf(at)).toBeLessThanOrEqual(seq)
        const after = list.find((one) => one.event.partition === event.partition && one.event.offset > event.offset)
        expect(window.offsetAfter(event)).toBe(after?.event.offset)
      }
    }),
    { numRuns: 300 },
  )
  statistics.report()
})

test('a restart leaves nothing, and is told from every other', () => {
  const window = fill([{ partition: 0, hole: 0, timestamp: 0 }], 1_000_000).window
  const before = window.restarts
  window.restart(0, 3)
  expect([window.firstSeq, window.nextSeq, window.bytes, window.floor(0)]).toEqual([1, 1, 0, 3])
  expect(window.restarts).not.toBe(before)
  expect(window.restarts[0]).toEqual({ offset: 3 })
  const first = window.restarts[0]
  window.restart(0, 3)
  expect(window.restarts[0]).not.toBe(first)
  expect(before).toEqual([])
})
