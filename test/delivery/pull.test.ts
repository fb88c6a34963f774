import { buildSchema, GraphQLError, parse, type ValidatedSubscriptionArgs, validateSubscriptionArgs } from 'graphql'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PullSubscriber } from '../../src/delivery/pull.ts'
import { Faults } from '../../src/errors/faults.ts'
import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { BY_ID } from '../../src/protocol/event-stream.ts'
import { FakeOutlet, settle } from '../kit/engine.ts'
import { silentLog } from '../kit/log-lines.ts'
import { probeTurns } from '../kit/turn-probe.ts'
import { until } from '../kit/until.ts'

const HEARTBEAT_MS = 10_000
const WRITE_STALL_MS = 30_000
/** The budget of src/streams/turn-budget.ts. */
const PULL_MS = 2

/** A subscription to numbers that come as fast as they are pulled. */
function startNumbers() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  vi.advanceTimersByTime(1000) // no process has a monotonic clock at 0
  onTestFinished(() => void vi.useRealTimers())
  const state = { pulled: 0, returned: 0, ended: 0 }
  const outlet = new FakeOutlet()
  outlet.full = true
  return { state, outlet, ...pull(state, outlet, () => Promise.resolve({ done: false, value: state.pulled++ })) }
}

function pull(
  state: { returned: number; ended: number },
  outlet: FakeOutlet,
  next: () => Promise<IteratorResult<number>>,
) {
  const source: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => source,
    next: async () => {
      const { done = false, value } = await next()
      return { done, value: { number: value } }
    },
    return: () => {
      state.returned++
      return Promise.resolve({ done: true, value: undefined })
    },
  }
  const schema = buildSchema('type Query { a: Int } type Subscription { number: Int }')
  const args = validateSubscriptionArgs({
    schema,
    document: parse('subscription { number }'),
  }) as ValidatedSubscriptionArgs
  const errors = new ResolverErrors(silentLog)
  const faults = new Faults(silentLog)
  const options = {
    framing: BY_ID,
    heartbeatMs: HEARTBEAT_MS,
    log: silentLog,
    errors,
    faults,
    hold: () => ({ release: () => {} }),
    onEnd: () => state.ended++,
  }
  const subscriber = new PullSubscriber(args, source, outlet, options)
  return { source, faults, subscriber }
}

test('a full outlet is not pulled for, nor sent heartbeats', async () => {
  const { state, outlet, subscriber } = startNumbers()
  await settle()
  expect(state.pulled).toBe(1)
  vi.advanceTimersByTime(2 * HEARTBEAT_MS)
  await settle()
  expect(outlet.writes).toBe(1)
  subscriber.drained()
  await settle()
  expect([state.pulled, outlet.writes]).toEqual([1, 2])
  subscriber.drained()
  await settle()
  expect([state.pulled, outlet.writes]).toEqual([2, 3])
  subscriber.end('client')
})

test('an outlet that takes nothing for too long is given up, and its source ended', async () => {
  const { state, outlet } = startNumbers()
  await settle()
  vi.advanceTimersByTime(WRITE_STALL_MS - HEARTBEAT_MS)
  expect(outlet.end_).toBe('open')
  vi.advanceTimersByTime(2 * HEARTBEAT_MS)
  expect([state.returned, state.ended]).toEqual([1, 1])
  expect(outlet.end_).not.toBe('open')
})

test('whatever of a pulled stream throws, that stream alone ends, and its source', async () => {
  for (const [place, isAtBeat] of [
    ['outlet', false],
    ['outlet', true],
    ['error', false],
  ] as const) {
    const { state, source, faults, outlet, subscriber } = startNumbers()
    await settle()
    const { write } = outlet
    if (place === 'outlet')
      outlet.write = () => {
        outlet.write = write
        throw new Error('Broken')
      }
    else
      source.next = () => {
        const extensions: Record<string, unknown> = { code: 'MINE' }
        extensions.self = extensions
        return Promise.reject(new GraphQLError('Circular', { extensions }))
      }
    if (isAtBeat) {
      outlet.full = false
      // A moment in which it waits for its source, and not for its outlet.
      source.next = () => new Promise(() => {})
      outlet.write = write
      subscriber.drained()
      await settle()
      outlet.write = () => {
        outlet.write = write
        throw new Error('Broken')
      }
      vi.advanceTimersByTime(HEARTBEAT_MS)
    } else {
      // For the result that waits, for the next one, and for the error that is told in its place.
      for (let drain = 0; drain < 3; drain++) {
        subscriber.drained()
        await settle()
      }
    }
    await settle()
    expect(outlet.end_).not.toBe('open')
    expect([state.returned, state.ended]).toEqual([1, 1])
    expect(faults.counts.pull ?? 0).toBeLessThanOrEqual(1)
    vi.advanceTimersByTime(WRITE_STALL_MS)
    vi.useRealTimers()
  }
})

test('sources that are always ready leave most of a turn to others, and go on in turn, however many there are', async () => {
  const probe = probeTurns()
  const each = 300
  const pulled = Array.from({ length: 20 }, () => 0)
  let leastWhenFirstEnded: number | undefined
  const states = pulled.map((_, i) => {
    const state = { returned: 0, ended: 0 }
    pull(state, new FakeOutlet(), async () => {
      probe.work()
      if (pulled[i] !== each) return { done: false, value: (pulled[i] as number)++ }
      leastWhenFirstEnded ??= Math.min(...pulled)
      return { done: true, value: undefined }
    })
    return state
  })
  await until('all have ended', () => states.every(({ ended }) => ended === 1))
  console.log(
    `20 × ${each}: ${probe.turns} turns of at most ${probe.longest}; ${leastWhenFirstEnded} when one had ended`,
  )
  expect(pulled).toEqual(pulled.map(() => each))
  expect(probe.longest).toBeLessThanOrEqual(probe.most(PULL_MS))
  expect(leastWhenFirstEnded).toBeGreaterThan(each / 2)
})
