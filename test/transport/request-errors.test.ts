import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { CombinedGraphQLErrors } from '@apollo/client/errors'
import { expect, test } from 'vitest'
import { keysFile } from '../kit/api-keys.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'
import { probeSchema } from './probe-schema.ts'

const GRAPHQL_RESPONSE = 'application/graphql-response+json'
const OK = { query: '{ __typename }' }
const body = (query: string) => ({ method: 'POST', body: { query } })

/** A request for each status, and each kind of refusal; the path is after the origin. */
const REFUSED: readonly (readonly [string, RawRequest & { path?: string }, number, string])[] = [
  ['a syntax error', body('{'), 400, 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', body('{ nope }'), 400, 'GRAPHQL_VALIDATION_FAILED'],
  ['a wrong variable', body('query ($on: Boolean!) { hello @include(if: $on) }'), 400, 'BAD_USER_INPUT'],
  ['no operation', { method: 'POST', body: {} }, 400, 'BAD_REQUEST'],
  ['a broken body', { method: 'POST', body: '{' }, 400, 'BAD_REQUEST'],
  ['credentials that are none', { ...body('{ hello }'), headers: { 'x-api-key': 'wrong' } }, 401, 'UNAUTHENTICATED'],
  ['another path', { path: '/other' }, 404, 'NOT_FOUND'],
  ['a DELETE without a token', { method: 'DELETE', search: '?operationId=1' }, 404, 'STREAM_NOT_FOUND'],
  ['an operation with an unknown token', { ...body('{ hello }'), search: '?token=x' }, 404, 'STREAM_NOT_FOUND'],
  ['a method', { method: 'PATCH' }, 405, 'METHOD_NOT_ALLOWED'],
  ['a mutation by GET', { search: '?query=mutation{shout(text:"a")}' }, 405, 'METHOD_NOT_ALLOWED'],
  ['a subscription without a stream', body('subscription { orderIds }'), 406, 'SUBSCRIPTION_NEEDS_SSE'],
  ['a body that is too large', { method: 'POST', body: ' '.repeat(300_000) }, 413, 'BODY_TOO_LARGE'],
  [
    'a body of another type',
    { ...body('{'), headers: { 'content-type': 'text/plain' } },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['a coding', { ...body('{'), headers: { 'content-encoding': 'zstd' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a handshake', { headers: { upgrade: 'websocket' } }, 400, 'WEBSOCKET_NOT_SERVED'],
  ['no ticket', { ...body('{ nope }'), path: '/ticket' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
]

test.each(REFUSED)('%s is told in the type that was asked for', async (_what, request, status, code) => {
  const env = { API_KEYS_FILE: keysFile([{ id: 'acme', key: 'right' }]), ANONYMOUS: 'true' }
  const gateway = await startTestGateway({
    schema: probeSchema().schema,
    env: { ...env, TICKET_SECRET: 'a-secret-of-thirty-two-characters!' },
  })
  for (const [accept, type] of [
    [`${GRAPHQL_RESPONSE}, application/json;q=0.9`, GRAPHQL_RESPONSE],
    [`${GRAPHQL_RESPONSE};charset=utf-8`, GRAPHQL_RESPONSE],
    ['application/json', 'application/json'],
    ['application/*', 'application/json'],
  ] as const) {
    const url = request.path ? gateway.url + request.path : gateway.graphql
    const answer = await RawStream.answer(url, { ...request, headers: { ...request.headers, accept } })
    // GraphQL over HTTP: what is refused as an operation is 200 in `application/json`.
    const isOperation = ['a syntax error', 'an unknown field', 'a wrong variable'].includes(_what)
    expect(answer.status, accept).toBe(isOperation && type === 'application/json' ? 200 : status)
    expect(answer.headers['content-type'], accept).toBe(`${type}; charset=utf-8`)
    expect(answer.json.errors[0].extensions.code, accept).toBe(code)
  }
})

test('what accepts nothing that there is gets JSON', async () => {
  const gateway = await startTestGateway()
  for (const accept of ['image/png', `${GRAPHQL_RESPONSE};q=0`, `${'a/b, '.repeat(100)}${GRAPHQL_RESPONSE}`]) {
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body: OK, headers: { accept } })
    expect([answer.status, answer.headers['content-type']]).toEqual([406, 'application/json; charset=utf-8'])
  }
})

test('a stream that is full is a 503 in that type', async () => {
  const gateway = await startTestGateway({ env: { MAX_STREAMS: '1' } })
  const subscription = 'subscription { orders { id } }'
  await RawStream.subscribe(gateway.graphql, subscription)
  const headers = { accept: `text/event-stream, ${GRAPHQL_RESPONSE};q=0.5` }
  const answer = await RawStream.answer(gateway.graphql, { ...body(subscription), headers })
  expect([answer.status, answer.headers['content-type']]).toEqual([503, `${GRAPHQL_RESPONSE}; charset=utf-8`])
})

test.each([
  ['an unknown field', '{ nope }', {}, 'GRAPHQL_VALIDATION_FAILED'],
  ['a wrong variable', 'query ($on: Boolean!) { hello @include(if: $on) }', {}, 'BAD_USER_INPUT'],
  ['credentials', '{ hello }', { 'x-api-key': 'wrong' }, 'UNAUTHENTICATED'],
  ['a content coding', '{ hello }', { 'content-encoding': 'zstd' }, 'UNSUPPORTED_MEDIA_TYPE'],
] as const)('Apollo Client sees the code of %s in its error', async (_what, query, headers, code) => {
  const env = { API_KEYS_FILE: keysFile([{ id: 'acme', key: 'right' }]), ANONYMOUS: 'true' }
  const gateway = await startTestGateway({ schema: probeSchema().schema, env })
  const link = ApolloLink.from([new HttpLink({ uri: gateway.graphql, headers })])
  const client = new ApolloClient({ link, cache: new InMemoryCache() })
  const { error } = await client.query({ query: gql(query), errorPolicy: 'all', fetchPolicy: 'no-cache' })
  expect(CombinedGraphQLErrors.is(error) && error.errors.map(({ extensions }) => extensions?.code)).toEqual([code])
  client.stop()
})
