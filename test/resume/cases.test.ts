import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { PAGE_OFFSETS } from '../../src/streams/feed/pages.ts'
import { Statistics } from '../kit/statistics.ts'
import { Gate } from '../kit/two-instances.ts'
import { MADE_UP } from './clock.ts'
import { openEmbedded } from './log.ts'
import { run } from './schedules.ts'
import { CASES, type ClientPlan, World, type WorldOptions } from './world.ts'

/** Schedules that once went wrong, each as short as it gets. The clients check what they are given as it comes. */
const gate = new Gate()
const A = 0
const B = 1

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.advanceTimersByTime(1000) // no process has a monotonic clock at 0
})
afterEach(() => void vi.useRealTimers())

/** Two events fit into the window, and one into the frames. */
async function start(plans: Partial<ClientPlan>[], options: Partial<WorldOptions> = {}) {
  const statistics = new Statistics('case', CASES)
  const world = new World(
    {
      partitions: 1,
      windowBytes: 700,
      frameBytes: 300,
      replayEventsPerSecond: 50_000,
      hasEpoch: true,
      cursorVersion: 1,
      before: 0,
      ...options,
    },
    { clock: MADE_UP, openLog: openEmbedded, gate, statistics, takesStamp: () => true },
  )
  await world.begin(plans.map((plan) => ({ asked: 'all', cursor: false, markers: false, start: 'now', ...plan })))
  onTestFinished(() => world.close())
  return {
    world,
    connect: (session: number, at: number) => world.connect(session, at, Number.POSITIVE_INFINITY),
    async paint(count: number, ...readers: number[]) {
      for (let i = 0; i < count; i++) await world.produce(0, 'red')
      for (const at of readers) await world.catchUp(at)
      await world.pass(5)
    },
  }
}

test('who joins a group that is reading on from the log gets what the window has of that too', async () => {
  const { world, connect, paint } = await start([{}, { start: 'last' }])
  await connect(0, A)
  await paint(1, A)
  world.disconnect(0, 0)
  await paint(4, A)
  await connect(1, A)
  await world.heal()
  world.checkComplete()
})

test('a group without members stays where it was, while its instance reads on', async () => {
  const { world, connect, paint } = await start([{ asked: 'later' }])
  await connect(0, A)
  await paint(1, A)
  await world.pass(30)
  world.disconnect(0, 0)
  await paint(8, A, B)
  await connect(0, B)
  await world.pass(30)
  world.disconnect(0, 0)
  world.gate.shut()
  await connect(0, A)
  await world.pass(30)
  await world.heal()
  world.checkComplete()
})

test('a group that reads on from the log takes nothing that is still to come from its instance', async () => {
  const { world, connect, paint } = await start([{ asked: 'later' }])
  await connect(0, A)
  await paint(0)
  for (let i = 0; i < 6; i++) await world.produce(0, 'red')
  await world.advance(A, 0, 5)
  await paint(0)
  await world.pass(20)
  await paint(1, A)
  await world.heal()
  world.checkComplete()
})

test('after a truncation nothing is given that was read of the log before it', async () => {
  const { world, connect, paint } = await start([{}], { hasEpoch: false })
  await connect(0, A)
  await paint(1, A)
  world.disconnect(0, 0)
  await paint(5, A)
  await connect(0, A)
  await world.pass(30)
  world.disconnect(0, 0)
  await world.truncate(0, 4)
  await paint(6, A)
  await connect(0, A)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('who fell off the frames hears of a truncation that came meanwhile', async () => {
  const { world, connect, paint } = await start([{}, {}], { hasEpoch: false, partitions: 2 })
  await world.produce(1, 'red')
  await world.catchUp(A)
  await connect(0, A)
  world.stall(0)
  await paint(1, A)
  await world.truncate(1, 0)
  for (let i = 0; i < 3; i++) await world.produce(1, 'red')
  await world.catchUp(A)
  await world.heal()
  world.checkComplete()
  expect(world.told).toContain('truncation')
})

test('who comes beyond the end of a log that lost it hears of that, also when the log grows past it again', async () => {
  const { world, connect, paint } = await start([{}], { hasEpoch: false })
  await connect(0, A)
  await paint(3, A)
  world.disconnect(0, 0)
  await world.replace()
  await paint(1, A)
  await connect(0, A)
  await world.pass(5)
  await paint(4, A)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('who comes to an instance that is behind it in one partition and ahead in another gets each event once', async () => {
  const { world, connect } = await start([{}], { partitions: 2 })
  await connect(0, A)
  for (const partition of [0, 1, 0, 1]) await world.produce(partition, 'red')
  await world.advance(A, 0, 1)
  await world.advance(A, 1, 2)
  await world.advance(B, 0, 2)
  await world.pass(5)
  world.disconnect(0, 0)
  await connect(0, B)
  await world.pass(5)
  await world.advance(B, 1, 1)
  await world.pass(5)
  await world.produce(0, 'red')
  await world.catchUp(B)
  await world.heal()
  world.checkComplete()
})

test('who comes back gets what it missed from the window of an instance where nobody had asked for it', async () => {
  const { world, connect, paint } = await start([{}], { windowBytes: 1_000_000 })
  await connect(0, A)
  await paint(2, A, B)
  world.disconnect(0, 0)
  await paint(5, A, B)
  await connect(0, B)
  await world.heal()
  world.checkComplete()
})

test('who comes back for what retention took is told of it, and goes on from what is left', async () => {
  const { world, connect, paint } = await start([{}])
  await connect(0, A)
  await paint(1, A, B)
  world.disconnect(0, 0)
  await paint(5, A, B)
  await world.retain(0, 3)
  await connect(0, B)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['retention'])
})

test('who comes with a cursor of another log is told, also where its last event says nothing of that', async () => {
  const { world, connect, paint } = await start([{}])
  await paint(3, A)
  await world.produce(0, 'red', true)
  await world.catchUp(A)
  await connect(0, A)
  await world.pass(1)
  world.disconnect(0, 0)
  await world.replace()
  await paint(5, A, B)
  await connect(0, A)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('who comes beyond the end of a log that stays shorter is told after a while', async () => {
  const { world, connect, paint } = await start([{}], { hasEpoch: false })
  await connect(0, A)
  await paint(3, A)
  world.disconnect(0, 0)
  await world.replace()
  await paint(1, A, B)
  await connect(0, A)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('who was given something before it was found that the log is another one hears of that at the next instance', async () => {
  const { world, connect } = await start([{}], { hasEpoch: false, partitions: 2 })
  await connect(0, A)
  await world.produce(1, 'red')
  await world.catchUp(A)
  await world.produce(0, 'red')
  await world.catchUp(A)
  await world.pass(5)
  world.disconnect(0, 0)
  await world.replace()
  for (const partition of [0, 1, 1]) await world.produce(partition, 'red')
  await world.advance(A, 1, 2)
  await connect(0, A)
  await world.pass(5)
  world.disconnect(0, 0)
  await world.catchUp(B)
  await connect(0, B)
  await world.heal()
  world.checkComplete()
  expect(world.told).toContain('truncation')
})

test('a frame of the group that names less than what a client goes by is not given to it', async () => {
  const { world, connect } = await start([{}, {}])
  await connect(1, A)
  await connect(0, B)
  await world.addPartition()
  await world.produce(1, 'red')
  await world.catchUp(B)
  await world.pass(5)
  world.disconnect(0, 0)
  await world.retain(1, 1)
  await world.produce(0, 'red')
  await world.advance(A, 0, 1)
  await world.pass(5)
  await world.advance(A, 1, 1)
  await connect(0, A)
  await world.heal()
  world.checkComplete()
})

test('a slow client that falls off the frames is not sent back behind a position that it was told', async () => {
  const produce = (...colors: ('red' | 'blue')[]) => ({ kind: 'produce', partition: 0, colors, reads: 'none', at: 0 })
  const advance = { kind: 'advance', at: A, partition: 0, count: 1 }
  const steps = [
    { kind: 'connect', client: 0, at: A, capacity: 1 },
    { kind: 'new partition', at: A },
    { kind: 'catch up', at: A },
    // A heartbeat tells that something was passed that it did not ask for, and fills the socket.
    { kind: 'stall', client: 0 },
    produce('blue', 'red'),
    advance,
    { kind: 'wait', ms: 7000 },
    produce('red'),
    advance,
    produce('red'),
    produce('red'),
    { kind: 'stall', client: 0 },
  ].map((step) => [step, 0] as const)
  const options = {
    partitions: 1,
    windowBytes: 700,
    frameBytes: 300,
    replayEventsPerSecond: 10,
    hasEpoch: false,
    cursorVersion: 1,
    before: 0,
  }
  const plans = [{ asked: 'later', cursor: false, markers: false, start: 'now' }]
  const statistics = new Statistics('case', CASES)
  await run({ options, plans, steps } as never, {
    clock: MADE_UP,
    openLog: openEmbedded,
    gate,
    statistics,
    takesStamp: () => true,
  })
})

test('a group that waits for what a truncation took goes on with the new log, also where that stays shorter', async () => {
  const { world, connect } = await start([{ asked: 'later' }], { hasEpoch: false })
  await world.produce(0, 'red')
  await world.produce(0, 'red', true)
  for (let i = 0; i < 3; i++) await world.produce(0, 'red')
  await connect(0, B)
  await world.truncate(0, 2)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('an instance reads no page beyond its own position: it would not notice that the log lost what is there', async () => {
  const { world, connect, paint } = await start([{}], { hasEpoch: false })
  await connect(0, A)
  await world.pass(1)
  world.disconnect(0, 0)
  await paint(2, B)
  await paint(4)
  await connect(0, B)
  await world.pass(30)
  // Reading goes on there, and so does the log.
  await world.retain(0, 3)
  await world.truncate(0, 3)
  await paint(2)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['retention'])
})

test('nobody is told of a truncation while what the instance holds is still of the former log', async () => {
  const { world, connect, paint } = await start([{}, {}], { hasEpoch: false, before: PAGE_OFFSETS - 9 })
  await connect(0, A)
  await connect(1, A)
  await world.pass(1)
  world.disconnect(1, 0)
  await paint(6, A)
  // Reads the first page.
  await connect(1, A)
  await paint(6, A)
  world.disconnect(0, 0)
  await paint(6, A)
  await world.truncate(0, PAGE_OFFSETS - 6, false)
  // Is to read the next page, which is gone.
  await connect(0, A)
  await world.pass(30)
  expect(world.told).toEqual([])
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation', 'truncation'])
})

test('who is beyond its instance is not told of a truncation that the instance has still to find', async () => {
  const { world, connect, paint } = await start([{}], { hasEpoch: false, windowBytes: 1_000_000 })
  await connect(0, B)
  await paint(3, A, B)
  await paint(3, B)
  world.disconnect(0, 0)
  await connect(0, A)
  await world.pass(5)
  await world.truncate(0, 1, false)
  await world.wait(7000)
  await world.pass(30)
  expect(world.told).toEqual([])
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('who falls off the frames after a heartbeat hears of a truncation that its group had still to tell', async () => {
  const { world, connect } = await start([{ asked: 'later' }], { hasEpoch: false, partitions: 2 })
  await world.produce(1, 'red')
  await world.catchUp(A)
  await connect(0, A)
  await world.pass(5)
  world.gate.shut()
  world.stall(0)
  await world.produce(0, 'red')
  await world.catchUp(A)
  await world.truncate(1, 0)
  // Fills its socket, with the position before the event that is being resolved.
  await world.wait(MADE_UP.heartbeatMs)
  world.gate.open()
  for (let i = 0; i < 3; i++) await world.produce(1, 'red')
  await world.catchUp(A)
  await world.pass(30)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('a heartbeat names the position that one before a truncation named, since the client went back in between', async () => {
  const { world, connect, paint } = await start([{ asked: 'none', cursor: true }], { hasEpoch: false })
  await paint(1, A)
  await connect(0, A)
  await world.wait(2 * MADE_UP.heartbeatMs)
  await world.pass(1)
  await paint(1, A)
  await world.truncate(0, 1)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('who joins a group that still resolves an event of a log that was truncated begins with the new log', async () => {
  const { world, connect, paint } = await start([{ asked: 'later' }, { asked: 'later' }], { hasEpoch: false })
  await connect(0, A)
  world.gate.shut()
  await paint(1, A)
  await world.truncate(0, 0)
  await connect(1, A)
  await world.pass(5)
  await paint(1, A)
  await world.heal()
  world.checkComplete()
  expect(world.told).toEqual(['truncation'])
})

test('what a group has rendered does not send back who reads it again', async () => {
  const schedule = {
    options: {
      partitions: 1,
      windowBytes: 1000000,
      frameBytes: 300,
      replayEventsPerSecond: 10,
      hasEpoch: false,
      cursorVersion: 1,
      before: 0,
    },
    plans: [
      { asked: 'all', cursor: false, markers: false, start: 'now' },
      { asked: 'all', cursor: false, markers: false, start: 'now' },
      { asked: 'all', cursor: false, markers: false, start: 'now' },
    ],
    steps: [
      [{ kind: 'new partition', at: 0 }, 0],
      [{ kind: 'connect', client: 530, at: 0, capacity: 1 }, 0],
      [{ kind: 'produce', partition: 0, colors: ['red'], reads: 'both', at: 0 }, 0],
      [{ kind: 'replace' }, 0],
      [{ kind: 'connect', client: 0, at: 0, capacity: 1 }, 0],
      [{ kind: 'produce', partition: 33, colors: ['red', 'red'], reads: 'none', at: 0 }, 0],
      [{ kind: 'produce', partition: 1, colors: ['red'], reads: 'both', at: 0 }, 0],
      [{ kind: 'produce', partition: 0, colors: ['poison'], reads: 'none', at: 0 }, 0],
      [{ kind: 'disconnect', client: 0, lost: 0 }, 0],
      [{ kind: 'produce', partition: 0, colors: ['red'], reads: 'none', at: 0 }, 0],
      [{ kind: 'connect', client: 324, at: 0, capacity: 1 }, 0],
      [{ kind: 'produce', partition: 0, colors: ['red'], reads: 'none', at: 0 }, 0],
    ],
  }
  const statistics = new Statistics('case', CASES)
  await run(schedule as never, { clock: MADE_UP, openLog: openEmbedded, gate, statistics, takesStamp: () => true })
})
