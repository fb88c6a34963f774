import fc from 'fast-check'
import { STAMP_NAMES } from '../kit/stamps.ts'
import { ASKED, type AskedName } from '../kit/two-instances.ts'
import { type Around, COLORS, World } from './world.ts'

const MAX_STEPS = 60
const CLIENTS = 4

const instance = fc.nat(1)
const any = fc.nat(999)
const capacity = fc.constantFrom(1, 200, 1000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
const turns = fc.constantFrom(0, 0, 1, 2, 3, 8)

const step = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('produce' as const),
      partition: any,
      colors: fc.array(fc.constantFrom(...COLORS, ...COLORS, 'poison'), { minLength: 1, maxLength: 6 }),
      stamp: fc.constantFrom(...new Array<undefined>(STAMP_NAMES.length * 4).fill(undefined), ...STAMP_NAMES),
      reads: fc.constantFrom('none', 'one', 'both', 'both'),
      at: instance,
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      at: instance,
      partition: any,
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('catch up' as const), at: instance }) },
  { weight: 25, arbitrary: fc.record({ kind: fc.constant('connect' as const), client: any, at: instance, capacity }) },
  { weight: 15, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), client: any, lost: fc.nat(400) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('stall' as const), client: any }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('unstall' as const), client: any, capacity }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('retain' as const), partition: any, part: fc.nat(100) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('new partition' as const), at: instance }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('truncate' as const),
      partition: any,
      lost: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), at: instance }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('shut' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(30, 1000, 7000) }) },
)

const plan = fc.record({
  asked: fc.constantFrom(...(Object.keys(ASKED) as AskedName[])),
  cursor: fc.boolean(),
  markers: fc.boolean(),
  start: fc.constantFrom('now' as const, 'last' as const, 'since' as const),
})

export const schedules = fc.record({
  options: fc.record({
    partitions: fc.integer({ min: 1, max: 3 }),
    windowBytes: fc.constantFrom(700, 1500, 4000, 1_000_000),
    frameBytes: fc.constantFrom(300, 2000, 1_000_000),
    throttleBytes: fc.constantFrom(undefined, undefined, 0, 1000, 2000),
    replayEventsPerSecond: fc.constantFrom(10, 50_000, 50_000),
    hasEpoch: fc.boolean(),
    cursorVersion: fc.constantFrom(1, 2),
    before: fc.constantFrom(0, 0, 0, 0, 0, 0, 1015),
  }),
  plans: fc.array(plan, { minLength: 1, maxLength: CLIENTS }),
  steps: fc.array(fc.tuple(step, turns), { minLength: 5, maxLength: MAX_STEPS, size: 'max' }),
})

export type Schedule = typeof schedules extends fc.Arbitrary<infer T> ? T : never

/** Plays a schedule, and checks at every step and at the end what clients were given. */
export async function run(schedule: Schedule, around: Around): Promise<void> {
  const { options, plans, steps } = schedule
  const world = new World(options, around)
  await world.begin(plans)
  try {
    for (const [one, turns] of steps) {
      await take(world, schedule, one)
      await world.pass(turns)
    }
    await world.heal()
    world.checkComplete()
  } finally {
    await world.close()
  }
}

async function take(world: World, { options }: Schedule, one: Schedule['steps'][number][0]): Promise<void> {
  const { history, sessions } = world
  const partition = 'partition' in one ? one.partition % history.partitions : 0
  const session = 'client' in one ? one.client % sessions.length : 0
  switch (one.kind) {
    case 'produce': {
      for (const color of one.colors) await world.produce(partition, color, color === 'poison', one.stamp)
      if (one.reads === 'none') return
      await world.advance(one.at, partition, 100)
      if (one.reads === 'both') await world.advance(1 - one.at, partition, 100)
      return
    }
    case 'advance':
      return world.advance(one.at, partition, one.count)
    case 'catch up':
      return world.catchUp(one.at)
    case 'connect':
      return world.connect(session, one.at, one.capacity)
    case 'disconnect':
      return world.disconnect(session, one.lost)
    case 'stall':
      return world.stall(session)
    case 'unstall':
      return world.unstall(session, one.capacity)
    case 'retain': {
      const earliest = history.earliest[partition] as number
      const part = Math.ceil(((history.next(partition) - earliest) * one.part) / 100)
      return part > 0 ? world.retain(partition, earliest + part) : undefined
    }
    case 'new partition':
      if (history.partitions === 4) return
      await world.addPartition()
      await world.produce(history.partitions - 1, 'red')
      return world.advance(one.at, history.partitions - 1, 1)
    case 'truncate': {
      if (options.hasEpoch) return
      // Before there is more: an instance notices by the end of the log.
      await world.pass(100)
      const earliest = history.earliest[partition] as number
      const offset = Math.max(earliest, history.next(partition) - one.lost)
      return offset < history.next(partition) ? world.truncate(partition, offset) : undefined
    }
    case 'replace':
      return world.replace()
    case 'restart':
      return world.restart(one.at)
    case 'shut':
      return world.gate.shut()
    case 'open':
      return world.gate.open()
    case 'wait':
      // A resolver that is held back for this long would be given up.
      world.gate.open()
      await world.pass(3)
      await world.wait(one.ms)
  }
}
