import fc from 'fast-check'
import { afterEach, beforeEach, test, vi } from 'vitest'
import { Statistics } from '../kit/statistics.ts'
import { Gate } from '../kit/two-instances.ts'
import { MADE_UP } from './clock.ts'
import { openEmbedded } from './log.ts'
import { run, schedules } from './schedules.ts'
import { CASES } from './world.ts'
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.advanceTimersByTime(1000)
})
afterEach(() => void vi.useRealTimers())
const T = ['latest', 'latestOfThird', 'latestLater', 'first'] as const
test('scratch', async () => {
  const statistics = new Statistics('resume', CASES)
  const around = { clock: MADE_UP, openLog: openEmbedded, gate: new Gate(), statistics, takesStamp: () => true }
  let i = 0
  await fc.assert(
    fc.asyncProperty(schedules, (schedule) => {
      const plans = schedule.plans.map((plan, at) => (T.includes(plan.asked as never) ? plan : { ...plan, asked: T[(at + (plan.cursor ? 1 : 0) + (plan.markers ? 2 : 0)) % 4] }))
      return run({ ...schedule, plans } as never, around)
    }),
    { numRuns: Number(process.env.RESUME_RUNS), ...(process.env.SEED && { seed: Number(process.env.SEED) }), interruptAfterTimeLimit: 400_000, endOnFailure: process.env.SHRINK !== '1' },
  )
  statistics.report()
}, 500_000)
