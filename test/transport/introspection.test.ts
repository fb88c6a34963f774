import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'

const STREAM = { accept: 'text/event-stream' }
const OFF = { env: { INTROSPECTION: 'false' } }

describe('variables and arguments suggest no name of the schema where introspection is off', () => {
  const BAD: readonly (readonly [string, Record<string, unknown>])[] = [
    ['an enum', { query: 'query ($r: Region!) { recentOrders(region: $r) { id } }', variables: { r: 'EUROP' } }],
    [
      'an enum, for a subscription',
      { query: 'subscription ($r: Region!) { ordersByRegion(region: $r) { id } }', variables: { r: 'EUROP' } },
    ],
    [
      'a field of a filter',
      {
        query: 'subscription ($w: OrderFilter) { orders(where: $w) { id } }',
        variables: { w: { regio: { eq: 'ASIA' } } },
      },
    ],
    [
      'an enum in a filter',
      {
        query: 'query ($w: OrderFilter) { recentOrders(where: $w) { id } }',
        variables: { w: { region: { eq: 'ASI' } } },
      },
    ],
    ['a literal in a filter', { query: '{ recentOrders(where: { regio: { eq: ASIA } }) { id } }' }],
    ['a mode of a throttle', { query: 'subscription { orders(throttle: { everyMs: 1, mode: LATES }) { id } }' }],
    ['the path of a throttle', { query: 'subscription { orders(throttle: { everyMs: 9, by: "merchantI" }) { id } }' }],
  ]

  test.each(BAD)('%s', async (_what, body) => {
    const gateway = await startTestGateway(OFF)
    const told = await startTestGateway()
    for (const headers of [STREAM, { accept: 'application/json, text/event-stream;q=0.1' }]) {
      const request: RawRequest = { method: 'POST', headers, body }
      const answer = await RawStream.answer(gateway.graphql, request)
      expect(answer.body).toContain('"errors"')
      expect(answer.body).not.toMatch(/did you mean/i)
      // The same is refused where it is on: so the suggestion is all that is left out.
      expect((await RawStream.answer(told.graphql, request)).body).toContain('"errors"')
    }
  })

  test('which are made where it is on', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body: BAD[0]?.[1] })
    expect(answer.body).toContain('Did you mean')
  })
})

test('a stream of several refuses introspection where it is off, and goes on', async () => {
  const gateway = await startTestGateway(OFF)
  const token = (await RawStream.answer(gateway.graphql, { method: 'PUT' })).body
  const headers = { ...STREAM, 'x-graphql-event-stream-token': token }
  const stream = await RawStream.send(gateway.graphql, { headers })
  await stream.untilHead()
  const ask = (query: string, operationId: string) =>
    RawStream.answer(gateway.graphql, { method: 'POST', headers, body: { query, extensions: { operationId } } })
  const refused = await ask('{ __schema { queryType { name } } }', 'a')
  expect([refused.status, refused.json.errors[0].extensions.code]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED'])
  expect((await ask('{ __typename }', 'b')).status).toBe(202)
  expect(await stream.untilResults(1)).toEqual([{ id: 'b', payload: { data: { __typename: 'Query' } } }])
})
