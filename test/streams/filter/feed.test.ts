import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { StreamEvent } from '../../../src/streams/event.ts'
import type { EventIterator } from '../../../src/streams/feed/event-iterator.ts'
import { planOf } from '../../../src/streams/filter/plan.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import { Streams } from '../../../src/streams/streams.ts'
import type { Topic } from '../../../src/streams/topic/topic.ts'
import { Validator } from '../../../src/streams/topic/validator.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { Statistics } from '../../kit/statistics.ts'
import { until } from '../../kit/until.ts'
import { filters } from './filters.ts'
import { interpret } from './interpret.ts'
import { isFound } from './lookups.ts'
import { selections } from './selections.ts'
import { events, type Sale, sales } from './shop.ts'

/** Values of any type: a record has the place of its own here. */
let values: readonly unknown[] = []
const topic: Topic<Sale> = {
  ...sales,
  validator: new Validator(z.unknown() as unknown as z.ZodType<Sale>),
  codec: (bytes) => values[Number(bytes.toString())],
}

/** Takes the offsets of all events, until the position passes the last record. */
async function drain(subscription: EventIterator<Sale>, end: number): Promise<number[]> {
  const offsets: number[] = []
  for await (const item of subscription) {
    if (item.kind === 'event') offsets.push(item.offset)
    else if (item.kind === 'progress' && (item.positions.get(0) ?? 0) >= end) return offsets
  }
  throw new Error('The subscription ended')
}

const LAST = 5

test('filters take from a feed what a plain interpreter takes: live, from the log, and the newest of the window', async () => {
  const statistics = new Statistics('filters on a feed', [
    'live',
    'from the log',
    'newest',
    'events taken',
    'nothing taken',
    'pairs',
    'all are in the window',
    'only some are in the window',
  ])
  await fc.assert(
    fc.asyncProperty(
      fc.array(events, { minLength: 60, maxLength: 200, size: 'max' }),
      fc.array(fc.tuple(filters, selections), { minLength: 8, maxLength: 16 }),
      fc.constantFrom(50_000, 10_000_000),
      async (someValues, asked, maxBytes) => {
        values = someValues
        const { source, sink, epoch, ...embedded } = createEmbeddedLog()
        embedded.createTopic(topic.name, 1)
        const limits = { maxBytes, maxAgeMs: 3600_000 }
        const streams = new Streams({ topics: [topic], source, sink, epoch, limits, log: silentLog })
        streams.start()
        try {
          await until('it reads', () => streams.readiness().ready)
          const feed = streams.feed<Sale, Sale>(topic as Topic<Sale, Sale>)
          const begin = feed.cursorAt([0])
          const plans = asked.map(([filter, where]) => {
            const { selection, test: passes } = planOf(filter, topic, where)
            const options = { where: selection as never, progress: true, ...(passes && { filter: passes }) }
            return { selection, passes, options, live: drain(feed.subscribe(options), values.length + 1) }
          })
          for (const [place] of values.entries()) await sink.send(topic.name, [{ key: null, value: `${place}` }])
          await until('all is read', () => feed.head[0] === values.length)
          const late = plans.map(({ options }) =>
            drain(feed.subscribe({ ...options, from: feed.startAfter(begin) }), values.length + 1),
          )
          const newest = plans.map(({ selection, passes }) => {
            const matches = ({ value }: StreamEvent<Sale>) => passes?.(value) ?? true
            return feed.newest(LAST, matches, selection as never)
          })
          const { firstSeq } = feed.window
          statistics.count(firstSeq === 0 ? 'all are in the window' : 'only some are in the window')
          // A record that is a failure passes the end.
          await sink.send(topic.name, [{ key: null, value: Buffer.alloc(2 * 1024 * 1024).toString() }])

          for (const [i, [filter, where]] of asked.entries()) {
            const isMeant = (offset: number) =>
              isFound(where, values[offset], true) && interpret(filter, values[offset])
            const expected = [...values.keys()].filter(isMeant)
            expect(await plans[i]?.live).toEqual(expected)
            expect(await late[i]).toEqual(expected)
            const last = expected.filter((offset) => offset >= firstSeq).slice(-LAST)
            expect((await newest[i])?.map(({ offset }) => offset)).toEqual(last)
            statistics.count('live')
            statistics.count('from the log')
            if (last.length > 0) statistics.count('newest')
            statistics.count(expected.length > 0 ? 'events taken' : 'nothing taken')
            statistics.count('pairs', values.length)
          }
        } finally {
          await streams.close()
          await embedded.close()
        }
      },
    ),
    { numRuns: 120 },
  )
  statistics.report()
})
