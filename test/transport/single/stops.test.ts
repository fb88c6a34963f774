import fc from 'fast-check'
import { createClient } from 'graphql-sse'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Admission } from '../../../src/admission/admission.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { Statistics } from '../../kit/statistics.ts'
import { until } from '../../kit/until.ts'
import { probeSchema } from '../probe-schema.ts'
import { SingleClient } from './client.ts'

const ORDERS = 'subscription { orders { id } }'
const HEADER = 'x-graphql-event-stream-token'
const complete = (id: string) => ({ event: 'complete', id })

/** Operations are admitted only when the test says so; `waiting` counts those that wait. */
function slowAdmission() {
  const gates: (() => void)[] = []
  const { admit } = Admission.prototype
  const spy = vi.spyOn(Admission.prototype, 'admit').mockImplementation(async function (this: Admission, ...args) {
    await new Promise<void>((resolve) => gates.push(resolve))
    return await admit.apply(this, args)
  })
  onTestFinished(() => spy.mockRestore())
  return { waiting: () => gates.length, release: () => gates.splice(0).forEach((go) => void go()) }
}

test('a stop that overtakes its operation wins: the operation is accepted, does not run, and completes', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const client = await SingleClient.open(gateway.graphql)
  for (const [id, query] of [
    ['1', 'subscription { orderIds }'],
    ['2', 'subscription { silent }'],
    ['3', 'mutation { shout(text: "hey") }'],
  ] as const) {
    expect((await client.stop(id)).status).toBe(200)
    const started = await client.start(id, query)
    expect([started.status, started.body]).toEqual([202, ''])
    expect(await client.untilTold(1, id)).toEqual([complete(id)])
  }
  expect([gateway.engine.subscribers, probe.open, probe.shouts]).toEqual([0, 0, 0])
  // Its id can be used again, and again.
  await client.start('3', 'mutation { shout(text: "hey") }')
  expect((await client.untilTold(3, '3')).map(({ event }) => event)).toEqual(['complete', 'next', 'complete'])
  expect(probe.shouts).toBe(1)
})

test('so it is before the stream opens', async () => {
  const gateway = await startTestGateway()
  const client = await SingleClient.reserve(gateway.graphql)
  await client.stop('1')
  await client.start('1', ORDERS)
  await client.start('2', ORDERS)
  await client.openStream()
  expect(await client.untilTold(1)).toEqual([complete('1')])
  expect(gateway.engine.subscribers).toBe(1)
})

test('a stop that comes while its operation is admitted wins, also where that id was used before', async () => {
  const gateway = await startTestGateway()
  const client = await SingleClient.open(gateway.graphql)
  await client.start('1', '{ __typename }')
  await client.untilTold(2, '1')
  const admission = slowAdmission()
  const started = client.start('1', ORDERS)
  await until('it is being admitted', () => admission.waiting() === 1)
  await client.stop('1')
  admission.release()
  expect((await started).status).toBe(202)
  expect((await client.untilTold(3, '1')).at(-1)).toEqual(complete('1'))
  expect(gateway.engine.subscribers).toBe(0)
})

test.each([
  ['has completed', '{ __typename }', 202],
  ['was refused', '{ nope }', 400],
  ['failed to start', 'subscription { refuses }', 202],
])('a stop of an operation that %s is not for the next one with its id', async (_what, query, status) => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  const client = await SingleClient.open(gateway.graphql)
  expect((await client.start('1', query)).status).toBe(status)
  if (status === 202) await client.untilTold(2, '1')
  await client.stop('1')
  await client.start('1', 'subscription { orderIds }')
  expect(gateway.engine.subscribers).toBe(1)
  await client.stop('1')
  expect(gateway.engine.subscribers).toBe(0)
})

test('a stop is for its stream only, and for its id only', async () => {
  const gateway = await startTestGateway()
  const [one, other] = [await SingleClient.open(gateway.graphql), await SingleClient.open(gateway.graphql)]
  await one.stop('1')
  await other.start('1', ORDERS)
  await one.start('2', ORDERS)
  expect(gateway.engine.subscribers).toBe(2)
})

test('an id that no operation can have is stopped, and not remembered', async () => {
  const gateway = await startTestGateway()
  const client = await SingleClient.open(gateway.graphql)
  expect((await client.stop('x'.repeat(5_000))).status).toBe(200)
  const long = await client.start('x'.repeat(65), ORDERS)
  expect(long.json.errors[0].extensions.code).toBe('NAME_TOO_LONG')
})

test('a request that its client gives up before it is answered ends its operation, and what that waits for', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const client = await SingleClient.open(gateway.graphql)
  const body = { query: 'subscription { slowToStart }', extensions: { operationId: '1' } }
  const given = await RawStream.send(gateway.graphql, { method: 'POST', headers: { [HEADER]: client.token }, body })
  await until('it runs', async () => (await client.start('1', '{ hello }')).status === 409)
  await given.close()
  await until('its id is free', async () => (await client.start('1', '{ hello }')).status === 202)
  probe.release()
  await until('its source has ended', () => probe.open === 0)
  await client.untilTold(2, '1')
  expect(gateway.engine.subscribers).toBe(0)
})

/** Connections that are no streams; that of a reservation stays for some seconds. */
const connections = (gateway: TestGateway) => gateway.metric('sluice_connections', { port: 'graphql' })

test('so it does while it is admitted, and when its end comes together with it', async () => {
  const gateway = await startTestGateway()
  const client = await SingleClient.open(gateway.graphql)
  const before = await connections(gateway)
  const request = (id: string) => ({
    method: 'POST',
    headers: { [HEADER]: client.token },
    body: { query: ORDERS, extensions: { operationId: id } },
  })
  const together = await RawStream.send(gateway.graphql, request('1'))
  together.socket.destroySoon()
  await together.untilEnd()
  const admission = slowAdmission()
  const given = await RawStream.send(gateway.graphql, request('2'))
  await until('it is being admitted', () => admission.waiting() === 1)
  await given.close()
  await until('its connection is gone', async () => (await connections(gateway)) === before)
  admission.release()
  const last = client.start('3', ORDERS)
  await until('the last is being admitted', () => admission.waiting() === 1)
  admission.release()
  expect((await last).status).toBe(202)
  expect([gateway.engine.subscribers, client.told()]).toEqual([1, []])
})

test('the connection of a client that has its answer may close: the operation goes on', async () => {
  const gateway = await startTestGateway()
  const client = await SingleClient.open(gateway.graphql)
  const before = await connections(gateway)
  for (const [id, headers] of [
    ['1', {}],
    ['2', { connection: 'close', 'sec-fetch-mode': 'cors' }],
    ['3', { 'sec-fetch-mode': 'cors', 'x-forwarded-for': '203.0.113.9' }],
  ] as const) {
    const body = { query: ORDERS, extensions: { operationId: id } }
    const all = { [HEADER]: client.token, ...headers } as Record<string, string>
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers: all, body })
    expect(answer.status).toBe(202)
    answer.socket.end()
    await answer.untilEnd()
  }
  await until('all are closed', async () => (await connections(gateway)) === before)
  expect(gateway.engine.subscribers).toBe(3)
})

test('200 quick changes of a filter by the official client leave one operation, and none is refused', async () => {
  const gateway = await startTestGateway()
  const statuses = new Set<number>()
  const client = createClient({
    url: gateway.graphql,
    singleConnection: true,
    retryAttempts: 0,
    fetchFn: async (input: string, init: RequestInit) => {
      const response = await fetch(input, init)
      statuses.add(response.status)
      return response
    },
  })
  const errors: unknown[] = []
  const results: unknown[] = []
  let stop = () => {}
  for (let n = 0; n < 200; n++) {
    const before = stop
    const query = `subscription { orders(where: { itemCount: { gte: ${n % 3} } }) { id } }`
    const next = (result: unknown) => void results.push(result)
    stop = client.subscribe({ query }, { next, error: (error) => void errors.push(error), complete: () => {} })
    before()
    // As far as a request has come: each of them somewhere else.
    for (let turns = 0; turns < n % 23; turns++) await new Promise(setImmediate)
  }
  await until('one is left', () => gateway.engine.subscribers === 1)
  await gateway.produce({ id: 'a', itemCount: 3 })
  await until('its order came', () => results.length > 0)
  expect([results, errors]).toEqual([[{ data: { orders: { id: 'a' } } }], []])
  expect([...statuses].sort()).toEqual([200, 201, 202])
  stop()
  await until('nothing is left', async () => (await gateway.metric('sluice_single_streams')) === 0)
  expect(gateway.engine.subscribers).toBe(0)
})

type Step =
  | { readonly what: 'start' | 'stop' | 'give up' | 'query'; readonly id: string }
  | { readonly what: 'open' | 'cut' | 'settle' }

const id = fc.constantFrom('a', 'b', 'c')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ what: fc.constantFrom('start', 'stop', 'give up', 'query'), id }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('open', 'settle') }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('cut') }) },
)

/** Runs steps at once, without waiting for an answer but where it says so; returns how many subscriptions may run. */
async function interleave(gateway: TestGateway, steps: readonly Step[], statistics: Statistics): Promise<void> {
  let client = await SingleClient.reserve(gateway.graphql)
  let isOpen = false
  const pending: Promise<unknown>[] = []
  for (const each of steps) {
    statistics.count(each.what)
    if (each.what === 'start') pending.push(client.start(each.id, ORDERS))
    else if (each.what === 'query') pending.push(client.start(each.id, '{ __typename }'))
    else if (each.what === 'stop') pending.push(client.stop(each.id))
    else if (each.what === 'give up') {
      const body = { query: ORDERS, extensions: { operationId: each.id } }
      const headers = { [HEADER]: client.token }
      const given = await RawStream.send(gateway.graphql, { method: 'POST', headers, body })
      pending.push(given.close())
    } else if (each.what === 'settle') await Promise.all(pending.splice(0))
    else if (each.what === 'open') {
      if (!isOpen) await client.openStream()
      isOpen = true
    } else {
      // A reservation that nobody opens would stay for a while.
      if (!isOpen) await client.openStream()
      await client.stream.close()
      await Promise.all(pending.splice(0))
      client = await SingleClient.reserve(gateway.graphql)
      isOpen = false
    }
  }
  await Promise.all(pending)
  if (!isOpen) await client.openStream()
  // Whatever has happened before, each of these is as it always is: used once more, an id runs, and is stopped.
  for (const used of ['a', 'b', 'c']) {
    await client.stop(used)
    await client.start(used, '{ __typename }')
    await client.stop(used)
    expect((await client.start(`${used} again`, ORDERS)).status).toBe(202)
    await client.stop(`${used} again`)
  }
  await client.stream.close()
}

test('however starts, stops, aborts, opens and cuts come together, nothing is left in the end', async () => {
  const gateway = await startTestGateway()
  const statistics = new Statistics('Steps', ['start', 'stop', 'give up', 'query', 'open', 'cut', 'settle'])
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      await interleave(gateway, steps, statistics)
      await until('its streams are gone', async () => (await gateway.metric('sluice_single_streams')) === 0)
      expect(gateway.engine.subscribers).toBe(0)
    }),
    { numRuns: 15, endOnFailure: true },
  )
  statistics.report()
  expect(await gateway.metric('sluice_faults_total').catch(() => 0)).toBe(0)
  await until('nothing is held', async () => (await gateway.metric('sluice_answer_bytes')) === 0)
})

test('one after the other, each step does what a model says', async () => {
  const gateway = await startTestGateway()
  const cases = ['overtaken', 'in use', 'runs', 'stopped', 'stop of an ended one', 'ended query']
  const statistics = new Statistics('Steps', cases)
  const simple = fc.record({ what: fc.constantFrom('start', 'stop', 'query'), id })
  await fc.assert(
    fc.asyncProperty(fc.array(simple, { minLength: 5, maxLength: 20 }), async (steps) => {
      const client = await SingleClient.open(gateway.graphql)
      const running = new Set<string>()
      /** 1: a stop without its operation came; -1: an operation without its stop. */
      const more = new Map<string, number>()
      for (const { what, id: of } of steps) {
        if (what === 'stop') {
          await client.stop(of)
          if (running.delete(of)) statistics.count('stopped')
          else if (more.get(of) === -1) {
            statistics.count('stop of an ended one')
            more.delete(of)
          } else more.set(of, 1)
        } else {
          const { status } = await client.start(of, what === 'start' ? ORDERS : '{ __typename }')
          expect(status).toBe(running.has(of) ? 409 : 202)
          if (running.has(of)) statistics.count('in use')
          else if (more.get(of) === 1) {
            statistics.count('overtaken')
            more.delete(of)
          } else if (what === 'start') {
            statistics.count('runs')
            more.delete(of)
            running.add(of)
          } else {
            statistics.count('ended query')
            more.set(of, -1)
          }
        }
        expect(gateway.engine.subscribers, JSON.stringify(steps)).toBe(running.size)
      }
      await client.stream.close()
      await until('its stream is gone', () => gateway.engine.subscribers === 0)
    }),
    { numRuns: 20 },
  )
  statistics.report()
})
