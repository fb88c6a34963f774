import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createOrderFeed } from '../../../src/demo/orders-feed.ts'
import { Feed } from '../../../src/streams/feed/feed.ts'
import { defineTopic, type Topic } from '../../../src/streams/topic/topic.ts'
import { orders } from '../../../src/streams/topics/orders.ts'
import { ROOMY } from '../../kit/feeds.ts'
import { silentLog } from '../../kit/log-lines.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

function heapUsed(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const BATCH = 500

/** Feeds `count` values through decoding into a window, and compares what it says they take with the heap. */
async function measure(topic: Topic, count: number, valueAt: (n: number) => object) {
  const feed = new Feed(topic, { limits: { ...ROOMY, maxBytes: 1024 ** 3 }, log: silentLog })
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  const fill = async (from: number, to: number) => {
    for (let offset = from; offset < to; offset += BATCH) {
      const records = Array.from({ length: BATCH }, (_, index) => ({
        partition: 0,
        offset: offset + index,
        timestamp: Date.now(),
        key: Buffer.from(`m_${index % 100}`),
        value: Buffer.from(JSON.stringify(valueAt(offset + index))),
        headers: undefined,
      }))
      const nextOffset = offset + BATCH
      await feed.onBatch({ topic: topic.name, partition: 0, records, nextOffset, endOffset: nextOffset })
    }
  }
  // The first events pay for what is shared by all: hidden classes, compiled code, the ring.
  await fill(0, 2000)
  const before = heapUsed()
  const counted = feed.window.bytes
  await fill(2000, count)
  const real = heapUsed() - before
  const estimated = feed.window.bytes - counted
  expect(feed.window.nextSeq).toBe(count)
  return { ratio: real / estimated, each: Math.round(real / (count - 2000)) }
}

const demo = createOrderFeed({ seed: 7 })
const start = Date.now()

const topicOf = (schema: z.ZodType) => defineTopic('sized', { schema }) as unknown as Topic
/** Longer than the texts that V8's JSON parser gives one place to. */
const LONG_KINDS = ['a-kind-of-more-than-ten-characters', 'another-kind-of-more-than-ten-characters'] as const

/** What events look like, how many, and how far the count may be from the heap. */
const CASES: readonly (readonly [string, Topic, number, (n: number) => object])[] = [
  ['orders', orders as unknown as Topic, 20_000, (n) => demo.next(start + n)],
  ['small events', topicOf(z.object({ n: z.int() })), 60_000, (n) => ({ n })],
  [
    'nested events',
    topicOf(
      z.object({
        id: z.string(),
        amounts: z.array(z.number()),
        lines: z.array(z.object({ sku: z.string(), quantity: z.int(), price: z.number() })),
        note: z.string().nullable(),
        flags: z.object({ gift: z.boolean(), express: z.boolean() }),
      }),
    ),
    20_000,
    (n) => ({
      id: `identity_${n}`,
      amounts: [n + 0.5, n * 1.1, 3],
      lines: Array.from({ length: 3 }, (_, line) => ({ sku: `long_sku_${n}_${line}`, quantity: line, price: 9.5 + n })),
      note: n % 2 ? `A note of some length on number ${n}` : null,
      flags: { gift: n % 2 === 0, express: n % 3 === 0 },
    }),
  ],
  [
    'events with index functions',
    defineTopic('functions', {
      schema: z.object({ id: z.string(), n: z.int() }),
      index: { id: ({ id }) => id, group: ({ n }) => `group_${n % 7}`, big: ({ n }) => n > 100 },
    }) as unknown as Topic,
    60_000,
    (n: number) => ({ id: `id_${n}`, n }),
  ],
  [
    'numbers',
    topicOf(z.object({ big: z.int(), fraction: z.number(), some: z.number().nullable(), small: z.int32() })),
    40_000,
    (n) => ({ big: 2 ** 40 + n, fraction: n % 2 ? n : n + 0.5, some: n % 2 ? n + 0.5 : null, small: n }),
  ],
  [
    'optional properties',
    topicOf(z.object({ id: z.int(), a: z.int().optional(), b: z.string().optional(), c: z.boolean().optional() })),
    40_000,
    (n) => ({
      id: n,
      ...(n % 2 ? { a: n } : {}),
      ...(n % 3 ? { b: `some text of ${n}` } : {}),
      ...(n % 5 ? { c: true } : {}),
    }),
  ],
  [
    'texts of an enum',
    topicOf(z.object({ kind: z.enum(LONG_KINDS), other: z.literal(LONG_KINDS), n: z.int() })),
    40_000,
    (n) => ({ kind: LONG_KINDS[n % 2], other: LONG_KINDS[0], n }),
  ],
  [
    'records',
    topicOf(z.object({ counts: z.record(z.string(), z.int()) })),
    40_000,
    (n) => ({ counts: { first: n, second: n, third: n, fourth: n, fifth: n, sixth: n } }),
  ],
  [
    'large records',
    topicOf(z.object({ counts: z.record(z.string(), z.int()) })),
    10_000,
    () => ({ counts: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`count_${index}`, index])) }),
  ],
  [
    'large records of names that are never the same',
    topicOf(z.object({ counts: z.record(z.string(), z.int()) })),
    4_000,
    (n) => ({ counts: Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`count_${n}_${index}`, index])) }),
  ],
  [
    'records of names that are never the same',
    topicOf(z.object({ counts: z.record(z.string(), z.int()) })),
    10_000,
    (n) => ({ counts: { [`first_${n}`]: n, [`second_${n}`]: n, [`third_${n}`]: n, [`fourth_${n}`]: n } }),
  ],
  [
    'values without a schema',
    topicOf(z.unknown()),
    20_000,
    (n) => ({ id: `identity_${n}`, parts: [n, { x: n + 0.5, y: null }] }),
  ],
  [
    'long texts',
    topicOf(z.object({ text: z.string() })),
    8_000,
    (n) => ({ text: `${n}`.padEnd(4000, 'lorem ipsum ') }),
  ],
  [
    'texts beyond Latin-1',
    topicOf(z.object({ text: z.string(), short: z.string() })),
    8_000,
    (n) => ({ text: `${n}`.padEnd(1000, 'съешь же ещё '), short: `съешь ещё ${n} булок` }),
  ],
]

test.each(CASES)('what %s take in memory is counted as the heap has it', async (name, topic, count, valueAt) => {
  const { ratio, each } = await measure(topic, count, valueAt)
  console.log(`size: ${name} take ${each} bytes each, ${ratio.toFixed(3)} of what is counted`)
  expect(ratio).toBeGreaterThan(0.9)
  expect(ratio).toBeLessThan(1.1)
})
