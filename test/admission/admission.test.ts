import { getIntrospectionQuery } from 'graphql'
import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'

const long = (length: number) => 'n'.repeat(length)
const list = (count: number, text: (i: number) => string) => Array.from({ length: count }, (_, i) => text(i)).join(' ')

/** Operations that are refused for what they would cost, by kind, with the code. */
const TOO_MUCH: Readonly<Record<string, readonly [code: string, body: Record<string, unknown>]>> = {
  'many fields of long lists': [
    'OPERATION_TOO_COMPLEX',
    {
      query: `{ ${list(40, (i) => `b${i}: recentOrders(last: 1000) { ...F }`)} } fragment F on Order { ${list(300, (i) => `a${i}: id`)} }`,
    },
  ],
  'long lists by variables': [
    'OPERATION_TOO_COMPLEX',
    {
      query: `query ($n: Int!) { ${list(11, (i) => `b${i}: recentOrders(last: $n) { ${list(10, (k) => `a${k}: id`)} }`)} }`,
      variables: { n: 1_000 },
    },
  ],
  'long lists by the default of a variable': [
    'OPERATION_TOO_COMPLEX',
    {
      query: `query ($n: Int = 1000) { ${list(11, (i) => `b${i}: recentOrders(last: $n) { ${list(10, (k) => `a${k}: id`)} }`)} }`,
    },
  ],
  'fragments that double': [
    'OPERATION_TOO_COMPLEX',
    {
      query: `{ ...F0 } ${list(40, (i) => `fragment F${i} on Query { ${i < 39 ? `...F${i + 1} ...F${i + 1}` : '__typename'} }`)}`,
    },
  ],
  'an alias': ['NAME_TOO_LONG', { query: `{ ${long(65)}: __typename }` }],
  'the name of an operation': ['NAME_TOO_LONG', { query: `query ${long(65)} { __typename }` }],
  'the name of a variable': [
    'NAME_TOO_LONG',
    { query: `query ($${long(65)}: Int) { recentOrders(last: $${long(65)}) { id } }` },
  ],
  'the name of a fragment': [
    'NAME_TOO_LONG',
    { query: `{ ...${long(65)} } fragment ${long(65)} on Query { __typename }` },
  ],
  operationName: ['NAME_TOO_LONG', { query: 'query A { __typename }', operationName: long(65) }],
  fragments: [
    'OPERATION_TOO_COMPLEX',
    {
      query: `{ ...F0 } ${list(201, (i) => `fragment F${i} on Query { ${i < 200 ? `...F${i + 1}` : '__typename'} }`)}`,
    },
  ],
  operations: ['OPERATION_TOO_COMPLEX', { query: list(51, (i) => `query Q${i} { __typename }`), operationName: 'Q1' }],
  selections: ['OPERATION_TOO_COMPLEX', { query: `{ ${'__typename '.repeat(2_001)} }` }],
  nesting: ['OPERATION_TOO_COMPLEX', { query: `{ ${'... { '.repeat(50)} __typename ${'} '.repeat(50)} }` }],
}

const STREAM = { accept: 'text/event-stream' }
type Way = (body: object) => RawRequest
const WAYS: Readonly<Record<string, Way>> = {
  'plain HTTP': (body) => ({ method: 'POST', headers: { accept: 'application/graphql-response+json' }, body }),
  'an event stream': (body) => ({ method: 'POST', headers: STREAM, body }),
}

describe.each(Object.entries(TOO_MUCH))('refused for its cost or size: %s', (_kind, [code, body]) => {
  test.each(Object.entries(WAYS))('by %s', async (_way, requestOf) => {
    const gateway = await startTestGateway()
    const answer = await RawStream.answer(gateway.graphql, requestOf(body))
    expect(answer.body).toContain(`"code":"${code}"`)
    expect(answer.status).toBe(answer.headers['content-type']?.startsWith('text/event-stream') ? 200 : 400)
    expect(answer.body.length).toBeLessThan(1_000)
  })

  test('in single connection mode', async () => {
    const gateway = await startTestGateway()
    const { body: token } = await RawStream.answer(gateway.graphql, { method: 'PUT' })
    const answer = await RawStream.answer(gateway.graphql, {
      method: 'POST',
      headers: { 'x-graphql-event-stream-token': token },
      body: { ...body, extensions: { operationId: '1' } },
    })
    expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([400, code])
  })
})

test('a subscription is refused for what an event of it costs', async () => {
  const gateway = await startTestGateway()
  const fragments = list(5, (i) => `fragment F${i} on Order { ${i < 4 ? list(9, () => `...F${i + 1}`) : 'id'} }`)
  const query = `subscription { ordersByRegion(region: EUROPE) { ...F0 } } ${fragments}`
  const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers: STREAM, body: { query } })
  expect(answer.results[0]?.errors?.[0]).toMatchObject({
    message: 'The operation has up to 6,562 fields resolved for each event, and may have 5,000',
    extensions: { code: 'OPERATION_TOO_COMPLEX' },
  })
})

test('the id of an operation has at most 64 characters', async () => {
  const gateway = await startTestGateway()
  const { body: token } = await RawStream.answer(gateway.graphql, { method: 'PUT' })
  const start = (operationId: string) =>
    RawStream.answer(gateway.graphql, {
      method: 'POST',
      headers: { 'x-graphql-event-stream-token': token },
      body: { query: '{ __typename }', extensions: { operationId } },
    })
  expect((await start(long(64))).status).toBe(202)
  const refused = await start(long(65))
  expect([refused.status, refused.json.errors[0].extensions.code]).toEqual([400, 'NAME_TOO_LONG'])
})

/** As Relay and Apollo generate them for a page: 100 fragments of some fields, each used once, one within the other. */
const GENERATED = `query PageQuery($last: Int = 50) {
  recentOrders(last: $last) { __typename id ...Component0_order }
  ${list(20, (i) => `panel${i}: recentOrders(last: 5) { __typename id ...Panel${i}_order }`)}
}
${list(79, (i) => `fragment Component${i}_order on Order { __typename id city total { amount } ${i < 78 && i % 10 !== 9 ? `...Component${i + 1}_order` : ''} ${i % 10 === 0 && i < 70 ? `...Component${i + 10}_order` : ''} }`)}
${list(20, (i) => `fragment Panel${i}_order on Order { __typename id status placedAt location { lat lon } }`)}`

test.each([
  ['a generated document of 10 KB with 100 fragments', GENERATED],
  ['the standard introspection query', getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true })],
  [
    'a page of 1,000 whole orders',
    '{ recentOrders(last: 1000) { id merchantId region country city location { lat lon } total { amount currency } itemCount status placedAt } }',
  ],
])('%s passes', async (_what, query) => {
  const gateway = await startTestGateway()
  const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body: { query } })
  expect(answer.json.errors).toBeUndefined()
})
