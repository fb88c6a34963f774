import { expect, onTestFinished, test } from 'vitest'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import { as, believePrincipals } from '../../kit/believed-principals.ts'
import { startTestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

const ORDERS = 'subscription { orders { id } }'

function logWith(...topics: string[]) {
  const embedded = createEmbeddedLog()
  for (const topic of ['orders', 'region-sales', ...topics]) embedded.createTopic(topic, 1)
  onTestFinished(() => embedded.close())
  // It is read when the gateway has ended.
  return { ...embedded, close: async () => {} }
}

async function recordsIn(embedded: ReturnType<typeof logWith>, topic: string) {
  const found = await embedded.source.fetch(topic, 0, 0, 1e6, new AbortController().signal)
  if (found.kind !== 'records') throw new Error('The log has no records')
  return found.records.map(({ key, value }) => ({ key: String(key), value: JSON.parse(String(value)) }))
}

test('what principals used is on the usage topic when the gateway has ended, as it was sent', async () => {
  believePrincipals()
  const embedded = logWith('usage')
  const gateway = await startTestGateway({ embedded, env: { USAGE_TOPIC: 'usage' } })
  const live = await RawStream.subscribe(gateway.graphql, ORDERS, { headers: as('acme') })
  await live.untilBlocks(1)
  const gone = await RawStream.subscribe(gateway.graphql, ORDERS, { headers: as('acme') })
  await gone.untilBlocks(1)
  await gateway.produce({ id: 'a' }, { id: 'b' })
  await Promise.all([live.untilResults(2), gone.untilResults(2)])
  await gone.close()
  const query = { method: 'POST', headers: as('asker'), body: { query: '{ __typename }' } }
  await RawStream.answer(gateway.graphql, query)
  await gateway.close()
  await live.untilEnd()
  const records = await recordsIn(embedded, 'usage')
  const bytes = live.received.length + gone.received.length
  expect(records.map(({ key }) => key).sort()).toEqual(['acme', 'asker'])
  expect(records.find(({ key }) => key === 'acme')?.value).toMatchObject({
    principal: 'acme',
    kind: 'token',
    instance: 'test',
    streams: 0,
    opened: 2,
    events: 4,
    bytes,
    queries: 0,
  })
  expect(records.find(({ key }) => key === 'asker')?.value).toMatchObject({ queries: 1, opened: 0, bytes: 0 })
})

test('metrics have it by principal, once, however often they are read', async () => {
  believePrincipals()
  const gateway = await startTestGateway()
  const stream = await RawStream.subscribe(gateway.graphql, ORDERS, { headers: as('acme') })
  const nobody = await RawStream.subscribe(gateway.graphql, ORDERS)
  await Promise.all([stream.untilBlocks(1), nobody.untilBlocks(1)])
  await gateway.produce({ id: 'a' })
  await Promise.all([stream.untilResults(1), nobody.untilResults(1)])
  const of = (name: string, principal: string) => gateway.metric(`sluice_principal_${name}`, { principal })
  for (let scrape = 0; scrape < 3; scrape++) {
    for (const principal of ['acme', 'anonymous']) {
      expect(await of('streams', principal)).toBe(1)
      expect(await of('opened_streams_total', principal)).toBe(1)
      expect(await of('events_total', principal)).toBe(1)
      expect(await of('bytes_total', principal)).toBe((principal === 'acme' ? stream : nobody).received.length)
    }
    expect(await of('streams', 'other')).toBe(0)
  }
  expect(await gateway.metric('sluice_streams_by_kind', { kind: 'token' })).toBe(1)
  expect(await gateway.metric('sluice_admissions_total', { outcome: 'admitted' })).toBe(2)
  await stream.close()
  await until('it is none of its streams any more', async () => (await of('streams', 'acme')) === 0)
})

test('operations of a stream that carries several count for it, running and ended', async () => {
  believePrincipals()
  const embedded = logWith('usage')
  const gateway = await startTestGateway({ embedded, env: { USAGE_TOPIC: 'usage' } })
  const headers = { ...as('acme'), 'x-graphql-event-stream-token': '' }
  const { body: token } = await RawStream.answer(gateway.graphql, { method: 'PUT', headers: as('acme') })
  headers['x-graphql-event-stream-token'] = token
  const stream = await RawStream.send(gateway.graphql, { headers: { ...headers, accept: 'text/event-stream' } })
  await stream.untilBlocks(1)
  const start = (operationId: string, query: string) =>
    RawStream.answer(gateway.graphql, { method: 'POST', headers, body: { query, extensions: { operationId } } })
  await start('ended', ORDERS)
  await start('running', ORDERS)
  await gateway.produce({ id: 'a' })
  await stream.untilResults(2)
  await RawStream.answer(gateway.graphql, { method: 'DELETE', search: '?operationId=ended', headers })
  await gateway.produce({ id: 'b' })
  await start('query', '{ __typename }')
  await stream.untilResults(4)
  await gateway.close()
  await stream.untilEnd()
  const [record] = await recordsIn(embedded, 'usage')
  expect(record?.value).toMatchObject({
    principal: 'acme',
    opened: 1,
    events: 4,
    queries: 1,
    bytes: stream.received.length,
  })
})
