import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { Semaphore } from '../../../src/delivery/replay/semaphore.ts'
import { encodeCursor } from '../../../src/streams/cursor/cursor.ts'
import { ASKED, Gate, Instance, LaggingSource, Pipe } from '../../kit/two-instances.ts'
import { until } from '../../kit/until.ts'
import { openEmbedded } from '../../resume/log.ts'

/** More than have a permit, each in a page of its own. */
const CLIENTS = 40
const PAGE = 1024
const EVENTS = (CLIENTS + 1) * PAGE

const rethrow = (error: unknown): void => {
  throw error
}

test('who finds no permit gets one in the order of asking, unless it has left by then', () => {
  const told: string[] = []
  const semaphore = new Semaphore<string>(2, (who) => told.push(who), rethrow)
  expect(['a', 'b', 'c', 'a', 'd', 'e'].map((who) => semaphore.take(who))).toEqual([
    true,
    true,
    false,
    true,
    false,
    false,
  ])
  expect([semaphore.taken, semaphore.waiting]).toEqual([2, 3])
  semaphore.leave('d')
  semaphore.leave('b')
  semaphore.leave('a')
  expect(told).toEqual(['c', 'e'])
  expect([semaphore.take('c'), semaphore.take('e'), semaphore.take('a')]).toEqual([true, true, false])
  for (const who of ['a', 'c', 'e', 'nobody']) semaphore.leave(who)
  expect([semaphore.taken, semaphore.waiting, told]).toEqual([0, 0, ['c', 'e']])
})

test('a permit whose taker cannot be told goes to the next in the row', () => {
  const told: string[] = []
  const errors: unknown[] = []
  const onPermit = (who: string): void => {
    if (who !== 'd') throw new Error(who)
    told.push(who)
  }
  const semaphore = new Semaphore<string>(1, onPermit, (error) => errors.push(error))
  for (const who of ['a', 'b', 'c', 'd', 'e']) semaphore.take(who)
  semaphore.leave('a')
  expect([told, errors, semaphore.taken, semaphore.waiting]).toEqual([['d'], [new Error('b'), new Error('c')], 1, 1])
})

test('clients that stall in the middle of the log keep nothing of it in memory, and nobody waits for them', async () => {
  const log = await openEmbedded(1)
  const value = (n: number) => JSON.stringify({ n, color: 'red' })
  await log.append(
    Array.from({ length: EVENTS }, (_, n) => ({ key: null, value: value(n), partition: 0, timestamp: n })),
  )
  const source = new LaggingSource(log.source)
  const instance = new Instance({
    source,
    epoch: log.epoch,
    limits: { maxBytes: 700, maxAgeMs: 3600_000 },
    replayEventsPerSecond: Number.POSITIVE_INFINITY,
    heartbeatMs: 60_000,
    gate: new Gate(),
  })
  onTestFinished(async () => {
    await instance.close()
    await log.close()
  })
  await until('the instance is ready', async () => {
    await source.catchUp()
    return instance.streams.readiness().ready
  })

  const semaphore = instance.engine.shared.logPermitsOf(instance.feed as never)
  // The first block of a stream fits, and nothing of the log after the first piece.
  const pipes = Array.from({ length: CLIENTS }, () => new Pipe(2000))
  const texts = pipes.map(() => '')
  for (const [i, pipe] of pipes.entries()) {
    const positions = [i * PAGE + 5]
    const after = encodeCursor('paints', { positions, ...(log.epoch !== undefined && { epoch: log.epoch }) })
    instance.open(ASKED.all, pipe, { start: { after }, cursor: false, markers: false })
  }
  await until('each of them is full', () => pipes.every(({ size, capacity }) => size >= capacity))
  expect([semaphore.taken, semaphore.waiting, instance.engine.shared.lagging]).toEqual([0, 0, CLIENTS])

  const numbersOf = (text: string) => [...text.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n))
  await until('each of them has all', async () => {
    for (const [i, pipe] of pipes.entries()) texts[i] += pipe.take()
    await turn()
    return texts.every((text) => text.includes(`"n":${EVENTS - 1}}`))
  })
  for (const [i, text] of texts.entries()) {
    const first = i * PAGE + 5
    expect(numbersOf(text)).toEqual(Array.from({ length: EVENTS - first }, (_, at) => first + at))
  }
  expect([semaphore.taken, semaphore.waiting]).toEqual([0, 0])
})
