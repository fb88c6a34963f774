import { expect, test, vi } from 'vitest'
import type { ClientShare } from '../../../src/delivery/outlet.ts'
import { FakeOutlet, settle, startEngine } from '../../kit/engine.ts'

const ALL = 'subscription { paint { n } }'
const MANY = Array.from({ length: 10_000 }, (_, n) => n)

/** A share that has to wait while a test says so, and counts what it is charged for. */
function aShare() {
  const share = { client: {}, mayCreateGroup: true, demandGroup() {}, takeGroup: () => () => {}, charges: 0, waitMs: 0 }
  return Object.assign(share, { charge: () => void share.charges++ }) satisfies ClientShare
}

const outletOf = (share: ClientShare) => Object.assign(new FakeOutlet(), { share })

test('the turns of a replay are charged to its client', async () => {
  const { open, feed, paint } = startEngine()
  paint(...MANY)
  const share = aShare()
  const { outlet } = open(ALL, { outlet: outletOf(share) }, { start: { after: feed.cursorAt([0]) } })
  await settle()
  expect(outlet.told).toEqual(MANY)
  expect(share.charges).toBeGreaterThan(1)
})

test('a replay whose client has no CPU time waits, while others go on, and goes on itself when there is some', async () => {
  const { open, feed, paint, engine } = startEngine()
  paint(...MANY)
  const start = { start: { after: feed.cursorAt([0]) } }
  const greedy = aShare()
  greedy.waitMs = 100
  const slowed = open(ALL, { outlet: outletOf(greedy) }, start)
  const friendly = open(ALL, { outlet: outletOf(aShare()) }, start)
  await settle()
  expect([slowed.outlet.told, friendly.outlet.told.length]).toEqual([[], MANY.length])
  vi.advanceTimersByTime(100)
  await settle()
  expect(slowed.outlet.told).toEqual([])
  // What is new comes with what it waits for: in order, and once.
  paint(10_000)
  greedy.waitMs = 0
  vi.advanceTimersByTime(100)
  await settle()
  expect(slowed.outlet.told).toEqual([...MANY, 10_000])
  expect(engine.shared.replaysWaiting).toBe(0)
})

test('a replay that waits and whose client leaves is over', async () => {
  const { open, feed, paint, engine } = startEngine()
  paint(...MANY)
  const share = aShare()
  share.waitMs = 1_000
  const { member } = open(ALL, { outlet: outletOf(share) }, { start: { after: feed.cursorAt([0]) } })
  await settle()
  member.gone()
  share.waitMs = 0
  vi.advanceTimersByTime(2_000)
  await settle()
  expect([engine.subscribers, engine.shared.replaysWaiting, engine.stats.deliveries]).toEqual([0, 0, 0])
})
