import fc from 'fast-check'
import { afterEach, beforeEach, test, vi } from 'vitest'
import { Statistics } from '../../kit/statistics.ts'
import { Gate } from '../../kit/two-instances.ts'
import { ASKED_NAMES, CASES, COLORS, World } from './world.ts'

/** Runs of some forty steps each: with `TABLE_RUNS`, as many as one likes. */
const RUNS = Number(process.env.TABLE_RUNS ?? 1500)
/** The same every time, so that a failure is of the change at hand; `SEED=random` looks for what is not known yet. */
const SEED = process.env.SEED ?? '20261127'
const TIMEOUT_MS = 300_000

const instance = fc.nat(1)
const any = fc.nat(999)
const capacity = fc.constantFrom(1, 200, 1000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
const turns = fc.constantFrom(0, 0, 1, 2, 3, 8)
const change = fc.record({
  key: fc.nat(7).map((n) => `k${n}`),
  color: fc.constantFrom(...COLORS, ...COLORS, ...COLORS, undefined, undefined, 'poison'),
})

const step = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      changes: fc.array(change, { minLength: 1, maxLength: 8 }),
      reads: fc.constantFrom('none', 'one', 'both', 'both'),
      at: instance,
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), at: instance, partition: any, count: fc.nat(4) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('catch up' as const), at: instance }) },
  { weight: 25, arbitrary: fc.record({ kind: fc.constant('connect' as const), client: any, at: instance, capacity }) },
  { weight: 15, arbitrary: fc.record({ kind: fc.constant('disconnect' as const), client: any, lost: fc.nat(400) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('stall' as const), client: any }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('unstall' as const), client: any, capacity }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), at: instance }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('shut' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(30, 1200, 7000) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const schedules = fc.record({
  options: fc.record({
    partitions: fc.integer({ min: 1, max: 3 }),
    frameBytes: fc.constantFrom(300, 2000, 1_000_000),
    hasEpoch: fc.boolean(),
    cursorVersion: fc.constantFrom(1, 2),
    replayEventsPerSecond: fc.constantFrom(10, 50_000, 50_000),
    captures: fc.constantFrom(undefined, 1, 1, 2),
  }),
  plans: fc.array(fc.constantFrom(...ASKED_NAMES), { minLength: 1, maxLength: 4 }),
  steps: fc.array(fc.tuple(step, turns), { minLength: 5, maxLength: 60, size: 'max' }),
})

async function take(world: World, one: Step, hasEpoch: boolean): Promise<void> {
  const { log, sessions } = world
  const session = 'client' in one ? one.client % sessions.length : 0
  switch (one.kind) {
    case 'put':
      for (const { key, color } of one.changes) {
        await world.put(key, color === 'poison' ? undefined : color, color === 'poison')
      }
      if (one.reads !== 'none') await world.catchUp(one.at)
      if (one.reads === 'both') await world.catchUp(1 - one.at)
      return
    case 'advance':
      return world.advance(one.at, one.partition % log.partitions.length, one.count)
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
    case 'truncate':
      // Without an epoch, a client that is away may not notice, which docs/resume.md says of streams too.
      return hasEpoch ? undefined : world.truncate()
    case 'replace':
      return hasEpoch ? world.replace() : undefined
    case 'restart':
      return world.restart(one.at)
    case 'shut':
      return world.shut()
    case 'open':
      return world.open()
    case 'wait':
      // What is awaited for longer than a resolver's timeout is an error.
      if (one.ms > 1000) {
        world.open()
        await world.pass(3)
      }
      return world.wait(one.ms)
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.advanceTimersByTime(1000) // no process has a monotonic clock at 0
})
afterEach(() => void vi.useRealTimers())

test(
  'whatever happens to clients, instances and the log: the rows of a table are those of its log',
  async () => {
    const statistics = new Statistics('tables', CASES)
    const gate = new Gate()
    await fc.assert(
      fc.asyncProperty(schedules, async ({ options, plans, steps }) => {
        const world = new World(options, gate, statistics)
        await world.begin(plans)
        try {
          for (const [one, after] of steps) {
            await take(world, one, options.hasEpoch)
            await world.pass(after)
          }
          await world.heal()
        } finally {
          await world.close()
        }
      }),
      { numRuns: RUNS, ...(SEED !== 'random' && { seed: Number(SEED) }) },
    )
    statistics.report()
  },
  TIMEOUT_MS,
)
