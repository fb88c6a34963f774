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

const Nested = z.object({
  id: z.string(),
  amounts: z.array(z.number()),
  lines: z.array(z.object({ sku: z.string(), quantity: z.int(), price: z.number() })),
  note: z.string().nullable(),
  flags: z.record(z.string(), z.boolean()),
})

test.each([
  ['orders', orders as unknown as Topic, 20_000, (n: number) => demo.next(start + n)],
  [
    'small events',
    defineTopic('small', { schema: z.object({ n: z.int() }) }) as unknown as Topic,
    60_000,
    (n: number) => ({ n }),
  ],
  [
    'nested events',
    defineTopic('nested', { schema: Nested }) as unknown as Topic,
    20_000,
    (n: number) => ({
      id: `id_${n}`,
      amounts: [n + 0.5, n * 1.1, 3],
      lines: Array.from({ length: 3 }, (_, line) => ({ sku: `sku_${n}_${line}`, quantity: line, price: 9.5 + n })),
      note: n % 2 ? `A note of some length on number ${n}` : null,
      flags: { gift: n % 2 === 0, express: n % 3 === 0 },
    }),
  ],
  [
    'long texts',
    defineTopic('texts', { schema: z.object({ text: z.string() }) }) as unknown as Topic,
    8_000,
    (n: number) => ({ text: `${n}`.padEnd(4000, 'lorem ipsum ') }),
  ],
  [
    'texts beyond Latin-1',
    defineTopic('cyrillic', { schema: z.object({ text: z.string() }) }) as unknown as Topic,
    8_000,
    (n: number) => ({ text: `${n}`.padEnd(1000, 'съешь же ещё ') }),
  ],
])('the estimate of what %s take in memory is near to what the heap says', async (name, topic, count, valueAt) => {
  const { ratio, each } = await measure(topic, count, valueAt)
  console.log(`size: ${name} take ${each} bytes each, ${ratio.toFixed(2)} of the estimate`)
  expect(ratio).toBeGreaterThan(0.6)
  expect(ratio).toBeLessThan(1.4)
})
