import fc from 'fast-check'
import { afterEach, beforeEach, test, vi } from 'vitest'
import { Statistics } from '../kit/statistics.ts'
import { Gate } from '../kit/two-instances.ts'
import { MADE_UP } from './clock.ts'
import { openEmbedded } from './log.ts'
import { run, schedules } from './schedules.ts'
import { CASES } from './world.ts'

/** Runs of some thirty steps each: with `RESUME_RUNS`, as many as one likes. */
const RUNS = Number(process.env.RESUME_RUNS ?? 2000)
/** The same every time, so that a failure is of the change at hand; `SEED=random` looks for what is not known yet. */
const SEED = process.env.SEED ?? '20261122'
/** On two slow cores that have other things to do as well. */
const TIMEOUT_MS = 300_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.advanceTimersByTime(1000) // no process has a monotonic clock at 0
})
afterEach(() => void vi.useRealTimers())

test(
  'whatever happens to clients, instances and the log: each event once and in order, or a gap that says so',
  async () => {
    const statistics = new Statistics('resume', CASES)
    const around = { clock: MADE_UP, openLog: openEmbedded, gate: new Gate(), statistics, takesStamp: () => true }
    await fc.assert(
      fc.asyncProperty(schedules, (schedule) => run(schedule, around)),
      { numRuns: RUNS, ...(SEED !== 'random' && { seed: Number(SEED) }) },
    )
    statistics.report()
  },
  TIMEOUT_MS,
)
