import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { Postings } from '../../../src/streams/feed/postings.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

function heapUsed(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const COUNT = 300_000

/** What postings say that they take, and what the heap says. Each event comes with a text of its own, as decoded ones do. */
function measure(valueAt: (n: number) => unknown, kept: number) {
  const values = Array.from({ length: COUNT }, (_, n) => valueAt(n))
  const events = values.map((value, offset) => {
    const at = { partition: 0, offset, timestamp: 0, key: null, headers: {} }
    return { kind: 'event', topic: 't', ...at, value } satisfies StreamEvent
  })
  const before = heapUsed()
  const postings = new Postings(new Map([['value', ({ value }: StreamEvent) => value]]))
  let counted = 0
  for (const event of events) {
    counted += postings.push(event)
    if (postings.size > kept) counted -= postings.shift()
  }
  const real = heapUsed() - before
  expect([postings.size, events.length, values.length]).toEqual([kept, COUNT, COUNT])
  return { counted: counted / kept, real: real / kept }
}

test.each([
  ['every event of another value', (n: number) => `m_${n}`, COUNT, 96],
  ['every event of another value, most of them evicted', (n: number) => `m_${n}`, COUNT / 3, 96],
  ['two events of a value', (n: number) => `m_${n >> 1}`, COUNT, 96],
  ['three events of a value', (n: number) => `m_${n % (COUNT / 3)}`, COUNT, 96],
  ['twenty events of a value', (n: number) => `m_${n % (COUNT / 20)}`, COUNT, 32],
  ['twenty events of a value, of sixty that there were', (n: number) => `m_${n % (COUNT / 60)}`, COUNT / 3, 32],
  ['all events of six values', (n: number) => `r_${n % 6}`, COUNT, 24.1],
  ['all events of one value, most of them evicted', () => 'EUROPE', COUNT / 3, 24.1],
  ['all events without a value', () => undefined, COUNT, 24.1],
])('what postings take, %s, is what they count, and no more than they say', (name, valueAt, kept, most) => {
  const { counted, real } = measure(valueAt, kept)
  console.log(`postings: ${name}: ${real.toFixed(1)} bytes an event, ${counted.toFixed(1)} counted`)
  expect(counted).toBeLessThanOrEqual(most)
  expect(real / counted).toBeGreaterThan(0.4)
  expect(real / counted).toBeLessThan(1.4)
})
