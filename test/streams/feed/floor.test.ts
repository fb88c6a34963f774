import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Gap, StreamEvent } from '../../../src/streams/event.ts'
import { LogReader } from '../../../src/streams/feed/log-reader.ts'
import { Position } from '../../../src/streams/feed/position.ts'
import { batchOf, type Paint, paintFeed, recordOf } from '../../kit/feeds.ts'
import { Statistics } from '../../kit/statistics.ts'

const PARTITIONS = 3

type Item = StreamEvent<Paint> | Gap

async function readAll(reader: LogReader<Paint>): Promise<Item[]> {
  const items: Item[] = []
  for (;;) {
    const item = reader.next()
    if (item instanceof Promise) await item
    else if (item === undefined) return items
    else items.push(item)
  }
}

test('nothing before a floor is read, all from it on is, and what is left out is told from where to where', async () => {
  const statistics = new Statistics('floors', ['gaps', 'events', 'below', 'above', 'an unknown partition', 'truncated'])
  const offset = fc.nat(20)
  const vector = fc.array(fc.oneof(offset, fc.constant(-1)), { maxLength: PARTITIONS })
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        sizes: fc.array(fc.nat(20), { minLength: PARTITIONS, maxLength: PARTITIONS }),
        vector,
        floor: vector,
        truncation: fc.option(fc.record({ partition: fc.nat(PARTITIONS - 1), to: offset, more: fc.nat(5) })),
      }),
      async ({ sizes, vector, floor, truncation }) => {
        const feed = paintFeed({ partitions: PARTITIONS })
        const heads = [...sizes]
        const append = async (partition: number, from: number, count: number) => {
          const records = Array.from({ length: count }, (_, i) => recordOf(partition, from + i, { n: i, color: 'red' }))
          await feed.onBatch(batchOf(partition, records, from + count))
        }
        for (const [partition, size] of sizes.entries()) await append(partition, 0, size)
        const from = vector.map((at, partition) => Math.min(at, sizes[partition] as number))
        const least = floor.map((at, partition) => Math.min(at, sizes[partition] as number))
        const position = new Position(feed, from).notBefore(least)
        const wanted = sizes.map((_, partition) => Math.max(0, from[partition] ?? 0))
        const first = wanted.map((at, partition) => Math.max(at, least[partition] ?? 0))
        const gaps = wanted.flatMap((at, partition) =>
          at < (first[partition] as number) ? [[partition, at, first[partition]]] : [],
        )

        if (truncation && truncation.to <= heads[truncation.partition]!) {
          const { partition, to, more } = truncation
          feed.onGap({ kind: 'gap', topic: 'paints', partition, from: heads[partition]!, to, reason: 'truncation' })
          await append(partition, to, more)
          heads[partition] = to + more
          statistics.count('truncated')
        }
        const items = await readAll(new LogReader(feed, position))
        const told = items.filter((item) => item.kind === 'gap')
        for (const item of items) {
          if (item.kind === 'gap') continue
          // What the log got after it was truncated is new: no floor holds for it.
          const isNew = truncation?.partition === item.partition && item.offset >= truncation.to
          if (!isNew) expect(item.offset).toBeGreaterThanOrEqual(first[item.partition] as number)
        }
        statistics.count('gaps', gaps.length)
        if (from.length < PARTITIONS) statistics.count('an unknown partition')
        for (const [partition, at] of from.entries())
          statistics.count(at < (least[partition] ?? -1) ? 'below' : 'above')
        if (truncation) return
        expect(told.map(({ partition, from, to }) => [partition, from, to])).toEqual(gaps)
        expect(told.every(({ reason }) => reason === 'history')).toBe(true)
        const read = items.flatMap((item) => (item.kind === 'event' ? [`${item.partition}:${item.offset}`] : []))
        const expected = sizes.flatMap((size, partition) =>
          Array.from(
            { length: Math.max(0, size - (first[partition] as number)) },
            (_, i) => `${partition}:${(first[partition] as number) + i}`,
          ),
        )
        expect(read.toSorted()).toEqual(expected.toSorted())
        statistics.count('events', read.length)
        expect(position.isStale).toBe(false)
      },
    ),
    { numRuns: 1_000 },
  )
  statistics.report()
})
