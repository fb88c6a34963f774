import { expect, test } from 'vitest'
import { createSluiceClient } from '../../packages/client/src/index.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { bearer, believeTokens } from '../kit/pretended-tokens.ts'

const URL = 'http://gateway.test/graphql'

/** A client whose next answer is this one. */
function clientOf(answer: () => Response | Promise<Response>, auth?: () => string) {
  const requests: RequestInit[] = []
  const fetch = async (_input: unknown, init: RequestInit = {}) => {
    requests.push(init)
    return answer()
  }
  return { client: createSluiceClient({ url: URL, fetch: fetch as never, auth }), requests }
}

const answered = (body: string, status = 200) => new Response(body, { status })

test('a query of the gateway is answered with its data, a refused one with its code', async () => {
  const gateway = await startTestGateway()
  await gateway.produce({ id: 'o1', region: 'ASIA' })
  const client = createSluiceClient({ url: gateway.graphql })
  const query = 'query ($last: Int) { recentOrders(last: $last) { id } }'
  expect(await client.execute({ query, variables: { last: 1 } })).toEqual({ data: { recentOrders: [{ id: 'o1' }] } })
  const { errors, data } = await client.execute({ query: '{ nothing }' })
  expect(data).toBeUndefined()
  expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }])
})

test('its credentials are asked for once more after a 401', async () => {
  believeTokens()
  const gateway = await startTestGateway()
  let tokens = 0
  const auth = () => bearer({ id: 'somebody', expiresAt: Date.now() + (tokens++ === 0 ? -1_000 : 60_000) })
  const client = createSluiceClient({ url: gateway.graphql, auth })
  expect(await client.execute({ query: '{ __typename }' })).toEqual({ data: { __typename: 'Query' } })
  expect(tokens).toBe(2)
})

test('it accepts results of GraphQL over HTTP, and plain JSON', async () => {
  const { client, requests } = clientOf(() => answered('{"data":{"a":1}}'))
  await client.execute({ query: '{ a }', variables: { b: 2 }, operationName: 'C', extensions: { d: 3 } })
  expect(requests[0]).toMatchObject({
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'content-type': 'application/json',
    },
    body: '{"query":"{ a }","variables":{"b":2},"operationName":"C","extensions":{"d":3}}',
  })
})

test('a persisted operation is named by its extensions alone', async () => {
  const { client, requests } = clientOf(() => answered('{"data":{}}'))
  await client.execute({ query: '', extensions: { persistedQuery: { version: 1, sha256Hash: 'a' } } })
  expect(requests[0]?.body).toBe('{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"a"}}}')
})

test.each([
  ['', 200],
  ['<!doctype html>', 502],
  ['{}', 200],
  ['null', 500],
  ['{"message":"no"}', 404],
])('%j with status %d is no result, and sent once', async (body, status) => {
  const { client, requests } = clientOf(() => answered(body, status))
  await expect(client.execute({ query: '{ a }' })).rejects.toMatchObject({
    name: 'SluiceClientError',
    code: `HTTP_${status}`,
    status,
  })
  expect(requests).toHaveLength(1)
})

test('a document of any form is sent as text', async () => {
  const { client, requests } = clientOf(() => answered('{"data":{}}'))
  const text = new String('{ a }') as unknown as string
  await client.execute({ query: text })
  const field = { kind: 'Field', name: { kind: 'Name', value: 'a' } }
  const selectionSet = { kind: 'SelectionSet', selections: [field] }
  const definitions = [{ kind: 'OperationDefinition', operation: 'query', selectionSet }]
  const document = { kind: 'Document', definitions }
  await client.execute({ query: document })
  expect(requests.map(({ body }) => JSON.parse(String(body)).query.replaceAll(' ', ''))).toEqual(['{a}', 'query{a}'])
})
