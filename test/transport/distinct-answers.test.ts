import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'
import { probeSchema } from './probe-schema.ts'

const STREAM = { accept: 'text/event-stream' }
const JSON_ONLY = { accept: 'application/json' }
const GRAPHQL_RESPONSE = { accept: 'application/graphql-response+json' }

/** What a client sends, and the code that it is to get. */
const WRONG_OPERATIONS: readonly (readonly [
  string,
  { query: string; variables?: object; operationName?: string },
  string,
])[] = [
  ['a syntax error', { query: 'subscription {' }, 'GRAPHQL_PARSE_FAILED'],
  ['an empty document', { query: '#' }, 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', { query: 'subscription { nope }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['a literal of the wrong type', { query: 'subscription { count(to: "many") }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['two root fields', { query: 'subscription { a: count(to: 1) b: count(to: 1) }' }, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'a root field that may be skipped',
    { query: 'subscription { count(to: 1) @skip(if: true) }' },
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    'a variable of the wrong type',
    { query: 'subscription ($to: Int!) { count(to: $to) }', variables: { to: 'many' } },
    'BAD_USER_INPUT',
  ],
  ['a missing variable', { query: 'subscription ($to: Int!) { count(to: $to) }' }, 'BAD_USER_INPUT'],
  [
    'an operation name that is not in the document',
    { query: 'subscription A { count(to: 1) }', operationName: 'B' },
    'OPERATION_NAME_INVALID',
  ],
  [
    'several operations and no name',
    { query: 'subscription A { count(to: 1) } subscription B { count(to: 2) }' },
    'OPERATION_NAME_INVALID',
  ],
  ['only fragments', { query: 'fragment F on Subscription { count(to: 1) }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ['more tokens than are read', { query: `subscription { ${'a '.repeat(6_000)} }` }, 'GRAPHQL_PARSE_FAILED'],
  ['deep nesting', { query: `{ ${'a{'.repeat(1_600)}b${'}'.repeat(1_600)} }` }, 'OPERATION_TOO_COMPLEX'],
  ['a subscribe that throws', { query: 'subscription { refuses }' }, 'INTERNAL_SERVER_ERROR'],
  ['a cursor that is none', { query: 'subscription { orderIds(after: "AQAA") }' }, 'CURSOR_INVALID'],
  ['a negative number of events', { query: 'subscription { orderIds(last: -1) }' }, 'BAD_USER_INPUT'],
  ['too many events', { query: 'subscription { orderIds(last: 10001) }' }, 'BAD_USER_INPUT'],
]

/** Text of whatever the process knows and no client may. */
const INTERNALS = /secret|hunter2|node_modules|\.ts:\d|\bat \w+ \(|stack/

describe('table, the operation is wrong', () => {
  test.each(WRONG_OPERATIONS)(
    'distinct 4: %s by POST is answered 200, one next with errors, complete, and no id',
    async (_what, body, code) => {
      const gateway = await startTestGateway({ schema: probeSchema().schema })
      const stream = await RawStream.answer(gateway.graphql, { method: 'POST', headers: STREAM, body })
      expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
      expect(stream.blocks).toEqual([
        { event: 'next', data: expect.any(String) },
        { event: 'complete', data: '' },
      ])
      expect(stream.results[0]?.errors?.[0]?.extensions?.code).toBe(code)
      expect(stream.body).not.toMatch(INTERNALS)
    },
  )

  test.each(WRONG_OPERATIONS.filter(([, { query }]) => query.length < 1_000))(
    'distinct 4: %s by GET is answered the same',
    async (_what, { query, variables, operationName }, code) => {
      const gateway = await startTestGateway({ schema: probeSchema().schema })
      const search = new URLSearchParams({
        query,
        ...(variables && { variables: JSON.stringify(variables) }),
        ...(operationName && { operationName }),
      })
      const stream = await RawStream.answer(gateway.graphql, { search: `?${search}`, headers: STREAM })
      expect(stream.status).toBe(200)
      expect(stream.blocks.map(({ id, event }) => [id, event])).toEqual([
        [undefined, 'next'],
        [undefined, 'complete'],
      ])
      expect(stream.results[0]?.errors?.[0]?.extensions?.code).toBe(code)
    },
  )

  test('says where the mistake is', async () => {
    const gateway = await startTestGateway()
    const stream = await RawStream.subscribe(
      gateway.graphql,
      'subscription { ordersByRegion(region: EUROPE) { nope } }',
    )
    await stream.untilWhole()
    expect(stream.results[0]?.errors).toEqual([
      {
        message: 'Cannot query field "nope" on type "Order".',
        locations: [{ line: 1, column: 49 }],
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ])
  })

  test('names the variable that does not fit', async () => {
    const gateway = await startTestGateway()
    const query = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id } }'
    const stream = await RawStream.subscribe(gateway.graphql, query, { variables: { region: 'ATLANTIS' } })
    await stream.untilWhole()
    expect(stream.results[0]?.errors?.[0]?.message).toMatch(/\$region.*ATLANTIS/)
  })

  test('does not repeat itself a hundred times', async () => {
    const gateway = await startTestGateway()
    const fields = Array.from({ length: 500 }, (_each, index) => `f${index}`).join(' ')
    const stream = await RawStream.subscribe(gateway.graphql, `{ ${fields} }`)
    await stream.untilWhole()
    expect(stream.results[0]?.errors?.length).toBeLessThanOrEqual(21)
  })

  test.each([
    ['a resolver that throws', '{ fails }'],
    ['a mutation with a wrong variable', 'mutation ($text: String!) { shout(text: $text) }'],
  ])('distinct 4: a query over SSE answers %s without a word of internals', async (_what, query) => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const stream = await RawStream.answer(gateway.graphql, { method: 'POST', headers: STREAM, body: { query } })
    expect(stream.status).toBe(200)
    expect(stream.blocks.map(({ event }) => event)).toEqual(['next', 'complete'])
    expect(stream.results[0]?.errors).toHaveLength(1)
    expect(stream.body).not.toMatch(INTERNALS)
  })

  test.each([
    ['application/json', JSON_ONLY, 200],
    ['application/graphql-response+json', GRAPHQL_RESPONSE, 400],
  ])(
    'a query over plain HTTP, as %s: parse, validation and variable errors keep their codes',
    async (_type, headers, status) => {
      const gateway = await startTestGateway({ schema: probeSchema().schema })
      for (const [body, code] of [
        [{ query: '{' }, 'GRAPHQL_PARSE_FAILED'],
        [{ query: '{ nope }' }, 'GRAPHQL_VALIDATION_FAILED'],
        [
          { query: 'query ($a: Int!) { hello @include(if: true) __type(name: "x") { name } }' },
          'GRAPHQL_VALIDATION_FAILED',
        ],
        [{ query: 'query ($a: Boolean!) { hello @include(if: $a) }' }, 'BAD_USER_INPUT'],
        [{ query: '{ hello }', operationName: 'Nope' }, 'OPERATION_NAME_INVALID'],
      ] as const) {
        const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers, body })
        expect([answer.status, answer.json.errors[0].extensions.code, answer.json.data]).toEqual([
          status,
          code,
          undefined,
        ])
        expect(answer.body).not.toMatch(INTERNALS)
      }
    },
  )

  test('a query over plain HTTP masks what a resolver threw', async () => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const answer = await RawStream.answer(gateway.graphql, {
      method: 'POST',
      headers: JSON_ONLY,
      body: { query: '{ fails }' },
    })
    expect(answer.json).toEqual({
      data: null,
      errors: [
        {
          message: 'Unexpected error',
          path: ['fails'],
          locations: [{ line: 1, column: 3 }],
          extensions: { code: 'INTERNAL_SERVER_ERROR' },
        },
      ],
    })
  })
})

const POST_JSON = { ...STREAM, 'content-type': 'application/json' }
const OK = { query: '{ hello }' }
const WRONG_REQUESTS: readonly (readonly [string, RawRequest, number, string])[] = [
  [
    'a body that is not JSON',
    { method: 'POST', headers: { ...STREAM, 'content-type': 'text/plain' }, body: '{}' },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a body without a type',
    { method: 'POST', headers: { ...STREAM, 'content-type': '' }, body: '{}' },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a form',
    { method: 'POST', headers: { ...STREAM, 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--' },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a charset that JSON has not',
    { method: 'POST', headers: { ...STREAM, 'content-type': 'application/json; charset=latin1' }, body: OK },
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['broken JSON', { method: 'POST', headers: POST_JSON, body: '{"query": ' }, 400, 'BAD_REQUEST'],
  ['an empty body', { method: 'POST', headers: POST_JSON, body: '' }, 400, 'BAD_REQUEST'],
  ['a list', { method: 'POST', headers: STREAM, body: [OK] }, 400, 'BAD_REQUEST'],
  ['null', { method: 'POST', headers: STREAM, body: 'null' }, 400, 'BAD_REQUEST'],
  ['no query', { method: 'POST', headers: STREAM, body: {} }, 400, 'BAD_REQUEST'],
  ['a query that is no text', { method: 'POST', headers: STREAM, body: { query: 1 } }, 400, 'BAD_REQUEST'],
  [
    'variables that are no object',
    { method: 'POST', headers: STREAM, body: { ...OK, variables: [] } },
    400,
    'BAD_REQUEST',
  ],
  [
    'extensions that are no object',
    { method: 'POST', headers: STREAM, body: { ...OK, extensions: 'x' } },
    400,
    'BAD_REQUEST',
  ],
  [
    'an operation name that is no text',
    { method: 'POST', headers: STREAM, body: { ...OK, operationName: 5 } },
    400,
    'BAD_REQUEST',
  ],
  ['a GET without a query', { headers: STREAM }, 400, 'BAD_REQUEST'],
  ['a GET whose variables are not JSON', { search: '?query={hello}&variables={', headers: STREAM }, 400, 'BAD_REQUEST'],
  ['a GET whose variables are a list', { search: '?query={hello}&variables=[]', headers: STREAM }, 400, 'BAD_REQUEST'],
  [
    'a GET whose extensions are not JSON',
    { search: '?query={hello}&extensions=x', headers: STREAM },
    400,
    'BAD_REQUEST',
  ],
  [
    'a body that is too large',
    { method: 'POST', headers: STREAM, body: { query: 'x'.repeat(300_000) } },
    413,
    'BODY_TOO_LARGE',
  ],
  ['a mutation over GET', { search: '?query=mutation{shout(text:"a")}', headers: STREAM }, 405, 'METHOD_NOT_ALLOWED'],
  ['PATCH', { method: 'PATCH', headers: STREAM }, 405, 'METHOD_NOT_ALLOWED'],
  ['HEAD', { method: 'HEAD', headers: STREAM }, 405, ''],
  [
    'an accept of nothing that is served',
    { headers: { accept: 'image/png' }, search: '?query={hello}' },
    406,
    'NOT_ACCEPTABLE',
  ],
  [
    'an accept that is no media type',
    { headers: { accept: 'nonsense' }, search: '?query={hello}' },
    406,
    'NOT_ACCEPTABLE',
  ],
  [
    'an accept that refuses everything',
    { headers: { accept: '*/*;q=0' }, search: '?query={hello}' },
    406,
    'NOT_ACCEPTABLE',
  ],
  [
    'a subscription as increments of one result',
    { headers: { accept: 'multipart/mixed;deferSpec=20220824' }, search: '?query=subscription{orderIds}' },
    406,
    'NOT_ACCEPTABLE',
  ],
  [
    'a subscription as JSON',
    { headers: JSON_ONLY, search: '?query=subscription{orderIds}' },
    406,
    'SUBSCRIPTION_NEEDS_SSE',
  ],
  [
    'a stream token that nobody has',
    { headers: { ...STREAM, 'x-graphql-event-stream-token': 'x' }, search: '?query={hello}' },
    404,
    'STREAM_NOT_FOUND',
  ],
]

describe('table, the HTTP request is wrong', () => {
  test.each(WRONG_REQUESTS)(
    '%s is answered by its status and JSON, to a client of streams too',
    async (_what, request, status, code) => {
      const gateway = await startTestGateway({ schema: probeSchema().schema })
      const answer = await RawStream.send(gateway.graphql, request)
      await answer.untilHead()
      expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json; charset=utf-8'])
      expect(answer.headers['x-request-id']).toMatch(/^[\w.-]+$/)
      if (request.method === 'HEAD') return
      await answer.untilWhole()
      expect(answer.json.errors).toEqual([{ message: expect.any(String), extensions: { code } }])
      expect(answer.body).not.toMatch(INTERNALS)
    },
  )

  test.each([
    ['PATCH', { method: 'PATCH' }, 'GET, POST, PUT, DELETE'],
    ['a mutation over GET', { search: '?query=mutation{shout(text:"a")}' }, 'POST'],
  ])('405: %s is told what is allowed', async (_what, request, allow) => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const answer = await RawStream.answer(gateway.graphql, request)
    expect([answer.status, answer.headers.allow]).toEqual([405, allow])
  })

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'a body of type %s is read',
    async (type) => {
      const gateway = await startTestGateway()
      const body = { query: '{ __typename }' }
      const answer = await RawStream.answer(gateway.graphql, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      })
      expect(answer.json).toEqual({ data: { __typename: 'Query' } })
    },
  )

  test('null is as good as absent for variables, extensions and operationName', async () => {
    const gateway = await startTestGateway()
    const body = { query: '{ __typename }', variables: null, extensions: null, operationName: null }
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body })
    expect(answer.json).toEqual({ data: { __typename: 'Query' } })
  })

  test('another path has nothing, and says where GraphQL is', async () => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(`${gateway.url}/other`)
    expect(answer.status).toBe(404)
    expect(answer.json.errors[0]).toEqual({
      message: 'There is nothing at this path: GraphQL is at /graphql',
      extensions: { code: 'NOT_FOUND' },
    })
  })

  test('a path that is no path is not found either', async () => {
    const gateway = await startTestGateway()
    for (const target of ['//', '///x', 'http://', '*', '/%', '/graphql/../x']) {
      const answer = await RawStream.write(gateway.url, `GET ${target} HTTP/1.1\r\nhost: x\r\n\r\n`)
      await answer.untilHead()
      expect([target, answer.status]).toEqual([target, 404])
    }
  })
})
