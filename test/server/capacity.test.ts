import { closeSync, openSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Faults } from '../../src/errors/faults.ts'
import { Capacity } from '../../src/server/capacity.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'

const throws = (): never => {
  throw new Error('Broken')
}

/** One of its limits cannot be looked at. */
function startCapacity() {
  const { log, lines } = recordedLog()
  const budget = { used: 0 }
  const capacity = new Capacity(
    { broken: { used: throws, limit: 1 }, budget: { used: () => budget.used, limit: 100 } },
    log,
    new Faults(log),
  )
  onTestFinished(() => capacity.close())
  return {
    capacity,
    budget,
    warnings: () => lines.filter((line) => line.name === 'budget'),
    isNear: () => new Map(capacity.near()).get('budget'),
    async check(times: number) {
      for (let i = 0; i < times; i++) await capacity.check()
    },
  }
}

test('a limit of which 80 % is used three times in a row is warned of once, and is near until it is not', async () => {
  const { budget, warnings, isNear, check } = startCapacity()
  budget.used = 79
  await check(3)
  expect([warnings(), isNear()]).toEqual([[], false])
  budget.used = 80
  await check(2)
  expect([warnings(), isNear()]).toEqual([[], false])
  await check(20)
  expect(warnings()).toMatchObject([{ level: 40, msg: 'Near a limit', used: 80, limit: 100 }])
  expect(isNear()).toBe(true)
  budget.used = 10
  await check(1)
  expect(isNear()).toBe(false)
})

test('a limit that stays near is said again after five minutes', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { budget, warnings, check } = startCapacity()
  budget.used = 100
  await check(3)
  vi.advanceTimersByTime(5 * 60_000 - 20_000)
  await check(1)
  expect(warnings()).toHaveLength(1)
  vi.advanceTimersByTime(30_000)
  await check(1)
  expect(warnings()).toHaveLength(2)
})

test.runIf(process.platform === 'linux')('open files are counted, and their limit is known', async () => {
  const { capacity } = startCapacity()
  await capacity.check()
  const before = capacity.openFiles
  const files = Array.from({ length: 50 }, () => openSync('/dev/null', 'r'))
  await capacity.check()
  for (const file of files) closeSync(file)
  expect(capacity.openFiles - before).toBeGreaterThanOrEqual(40)
  expect(capacity.openFilesLimit).toBeGreaterThan(capacity.openFiles)
})

test('the metrics say how near each limit is', async () => {
  const gateway = await startTestGateway()
  for (const limit of ['open_files', 'heap_bytes', 'memory_bytes', 'event_loop', 'streams', 'frame_log_bytes']) {
    expect(await gateway.metric('sluice_near_limit', { limit })).toBe(0)
  }
  expect(await gateway.metric('sluice_streams_limit')).toBe(10_000)
})
