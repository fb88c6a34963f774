import { afterEach, beforeEach, test, vi } from 'vitest'
import { readFileSync } from 'node:fs'
import { Statistics } from '../kit/statistics.ts'
import { Gate } from '../kit/two-instances.ts'
import { MADE_UP } from './clock.ts'
import { openEmbedded } from './log.ts'
import { run } from './schedules.ts'
import { CASES } from './world.ts'
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.advanceTimersByTime(1000)
})
afterEach(() => void vi.useRealTimers())
test('scratch', async () => {
  const schedule = eval('(' + readFileSync('/tmp/throttle-schedule.txt', 'utf8') + ')')
  await run(schedule as never, { clock: MADE_UP, openLog: openEmbedded, gate: new Gate(), statistics: new Statistics('case', CASES), takesStamp: () => true })
})
