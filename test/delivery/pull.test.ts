import { buildSchema, GraphQLError, parse, type ValidatedSubscriptionArgs, validateSubscriptionArgs } from 'graphql'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PullSubscriber } from '../../src/delivery/pull.ts'
import { Faults } from '../../src/errors/faults.ts'
import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { BY_ID } from '../../src/protocol/event-stream.ts'
import { FakeOutlet, settle } from '../kit/engine.ts'
import { silentLog } from '../kit/log-lines.ts'

const HEARTBEAT_MS = 10_000
const WRITE_STALL_MS = 30_000

/** A subscription to numbers that come as fast as they are pulled. */
function startNumbers() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  vi.advanceTimersByTime(1000) // no process has a monotonic clock at 0
  onTestFinished(() => void vi.useRealTimers())
  const state = { pulled: 0, returned: 0, ended: 0 }
  const source: AsyncIterableIterator<unknown> = {
    [Symbol.asyncIterator]: () => source,
    next: () => Promise.resolve({ done: false, value: { number: state.pulled++ } }),
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
  const outlet = new FakeOutlet()
  outlet.full = true
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
  return { state, source, faults, outlet, subscriber }
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
