import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type ConnectionState,
  createSluiceClient,
  type SluiceClientError,
  type SluiceSubscription,
} from '../../packages/client/src/index.ts'
import { Statistics } from '../kit/statistics.ts'
import { until } from '../kit/until.ts'
import { type Fault, ModelGateway } from './model-gateway.ts'

const QUERY = 'subscription { n }'
const URL = 'http://gateway.test/graphql'
const EVENTS = 12

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Fault>({ kind: 'none' }) },
  ...(['network', 'lost', 'unavailable', 'page', 'empty', 'restart'] as const).map((kind) =>
    fc.constant<Fault>({ kind }),
  ),
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('cut' as const), bytes: fc.integer({ min: 1, max: 600 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), blocks: fc.integer({ min: 1, max: 8 }) }) },
)

type Step = 'append' | 'cut' | 'turn'
const steps = fc.array(fc.constantFrom<Step>('append', 'append', 'cut', 'turn'), { maxLength: 30 })

/** Which state may follow which; each of `reconnecting` counts one attempt more. */
const NEXT: Record<ConnectionState['status'], readonly string[]> = {
  connecting: ['live', 'replaying', 'reconnecting', 'ended'],
  live: ['reconnecting', 'ended'],
  replaying: ['live', 'reconnecting', 'ended'],
  reconnecting: ['reconnecting', 'live', 'replaying', 'ended'],
  ended: [],
}

function demandLegal(states: readonly ConnectionState[], statistics: Statistics): void {
  let last: ConnectionState = { status: 'connecting' }
  for (const state of states) {
    expect(NEXT[last.status], `${last.status} → ${state.status}`).toContain(state.status)
    expect(state, 'a state is not told twice').not.toEqual(last)
    if (last.status === 'reconnecting' && state.status === 'reconnecting') expect(state.since).toBe(last.since)
    statistics.count(state.status)
    last = state
  }
  expect(last).toEqual({ status: 'ended', why: 'complete' })
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test.each([false, true])(
  'every event arrives once and in order, whatever happens (single connection: %s)',
  async (singleConnection) => {
    const statistics = new Statistics(`single connection: ${singleConnection}`, [
      ...['network', 'lost', 'unavailable', 'page', 'empty', 'restart', 'cut', 'end'],
      ...['live', 'replaying', 'reconnecting', 'callback', 'iterator'],
    ])
    const property = fc.asyncProperty(fc.array(fault, { maxLength: 25 }), steps, async (script, actions) => {
      const gateway = new ModelGateway(script)
      const client = createSluiceClient({ url: URL, fetch: gateway.fetch as never, singleConnection, baseWaitMs: 0 })
      const states: ConnectionState[][] = [[], []]
      const received: number[][] = [[], []]
      const failures: unknown[] = []
      let ended = 0
      const subscription: SluiceSubscription = client.subscribe<{ n: number }, never>(
        { query: QUERY },
        {
          next: ({ data }) => received[0]!.push(data?.n ?? Number.NaN),
          error: (error: SluiceClientError) => failures.push(error),
          complete: () => ended++,
          onState: (state) => states[0]!.push(state),
        },
        { from: '0' },
      )
      const iterated = (async () => {
        const onState = (state: ConnectionState) => states[1]!.push(state)
        for await (const { data } of client.iterate<{ n: number }, never>({ query: QUERY }, { from: '0', onState })) {
          received[1]!.push(data?.n ?? Number.NaN)
          if (received[1]!.length % 5 === 0) await turn()
        }
        ended++
      })()
      let produced = 0
      for (const action of [...actions, ...Array<Step>(EVENTS).fill('append')]) {
        if (action === 'append' && produced < EVENTS) gateway.append(++produced)
        else if (action === 'cut') subscription.cut()
        else await turn()
      }
      gateway.finish()
      await until(
        `both have ended after ${gateway.requests.join(', ')}`,
        () => ended === 2 || failures.length > 0,
        10_000,
      )
      await iterated
      expect(failures).toEqual([])
      const wanted = Array.from({ length: EVENTS }, (_, i) => i + 1)
      expect(received).toEqual([wanted, wanted])
      for (const each of states) demandLegal(each, statistics)
      client.dispose()
      await turn()
      expect(gateway.running, 'operations left behind').toBe(0)
      for (const request of gateway.requests) statistics.count(request.split(' ')[1]!)
      statistics.count('callback')
      statistics.count('iterator')
    })
    await fc.assert(property, { numRuns: 150 })
    statistics.report()
  },
)
