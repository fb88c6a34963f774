import { expect, test } from 'vitest'
import { createFollowUps } from '../../src/demo/follow-ups.ts'
import { createRandom } from '../../src/demo/random.ts'
import type { OrderEvent } from '../../src/streams/topics/orders.ts'

const FAR = Number.MAX_SAFE_INTEGER

function orderPlaced(id: number): OrderEvent {
  return {
    id: `ord_${id}`,
    merchantId: 'm_0001',
    region: 'EUROPE',
    country: 'NL',
    city: 'Amsterdam',
    lat: 52.374,
    lon: 4.89,
    amount: '129.90',
    currency: 'EUR',
    itemCount: 3,
    status: 'PLACED',
    placedAt: '2026-11-27T10:15:30.123Z',
  }
}

test('no more orders are remembered than the limit', () => {
  const followUps = createFollowUps(createRandom(1), 100)
  for (let id = 0; id < 100_000; id++) followUps.add(orderPlaced(id), 0)

  const ids = new Set<string>()
  // Half the calls give nothing, so as not to crowd out new orders; an order gives two events at most.
  for (let call = 0; call < 1000; call++) {
    const order = followUps.take(FAR)
    if (order) ids.add(order.id)
  }
  expect(ids.size).toBe(100)
})

test('nothing follows before its time, unless the book is full', () => {
  const roomy = createFollowUps(createRandom(1), 100)
  const full = createFollowUps(createRandom(1), 10)
  for (let id = 0; id < 100; id++) {
    roomy.add(orderPlaced(id), 0)
    full.add(orderPlaced(id), 0)
  }
  const takenAtOnce = (followUps: typeof full) => Array.from({ length: 50 }, () => followUps.take(0)).filter(Boolean)
  expect(takenAtOnce(roomy)).toEqual([])
  expect(takenAtOnce(full).length).toBeGreaterThan(0)
})

test('what is due first comes first', () => {
  const followUps = createFollowUps(createRandom(1))
  for (let id = 0; id < 1000; id++) followUps.add(orderPlaced(id), id * 1_000_000)
  const ids: number[] = []
  for (let call = 0; call < 10_000; call++) {
    const order = followUps.take(1_000_000_000)
    // What was paid just now is due again later than all the others, so it is not mixed with them.
    if (order?.status === 'PAID') ids.push(Number(order.id.slice('ord_'.length)))
  }
  expect(ids.length).toBeGreaterThan(200)
  expect(ids).toEqual(ids.toSorted((a, b) => a - b))
})
