import { expect, test } from 'vitest'
import { startTestGateway } from '../../kit/gateway.ts'
import type { RawRequest } from '../../kit/raw-stream.ts'
import { RawStream } from '../../kit/raw-stream.ts'

const BY_VARIABLE = 'subscription($where: OrderFilter) { orders(where: $where) { id } }'

/** What a stream with this filter begins with: the code of its error, or `open`. */
async function answered(url: string, body: RawRequest['body']): Promise<{ code: string; message: string }> {
  const stream = await RawStream.send(url, { method: 'POST', headers: { accept: 'text/event-stream' }, body })
  await stream.untilBlocks(1)
  const [error] = stream.results[0]?.errors ?? []
  await stream.close()
  return { code: String(error?.extensions?.code ?? 'open'), message: error?.message ?? '' }
}

const byLiteral = (where: string) => ({ query: `subscription { orders(where: ${where}) { id } }` })
const byVariable = (where: unknown) => ({ query: BY_VARIABLE, variables: { where } })
/** Variables as text: JSON.stringify writes no number that is too large for a double. */
const byText = (where: string) => `{"query":${JSON.stringify(BY_VARIABLE)},"variables":{"where":${where}}}`

function nested(levels: number, name: string): object {
  let value: object = { city: { eq: 'x' } }
  for (let level = 0; level < levels; level++) value = { [name]: name === 'not' ? value : [value] }
  return value
}

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))

test.each<[string, RawRequest['body'], string, RegExp]>([
  [
    '1,000 levels of and, literally',
    byLiteral(`${'{and:'.repeat(1000)}{}${'}'.repeat(1000)}`),
    'OPERATION_TOO_COMPLEX',
    /nested more than 50/,
  ],
  ['1,000 levels of not, by a variable', byVariable(nested(1000, 'not')), 'BAD_USER_INPUT', /nested more than 50/],
  ['1,000 levels of or, by a variable', byVariable(nested(1000, 'or')), 'BAD_USER_INPUT', /nested more than 50/],
  [
    '100,000 values',
    byVariable({ itemCount: { in: many(100_000, () => 1) } }),
    'BAD_USER_INPUT',
    /more than 10000 values/,
  ],
  ['60,000 empty objects', byVariable({ or: many(60_000, () => ({})) }), 'BAD_USER_INPUT', /more than 10000 values/],
  ['5,000 objects', byVariable({ or: many(5_000, () => ({})) }), 'BAD_USER_INPUT', /more than 4000 objects/],
  [
    '1,001 values',
    byVariable({ id: { in: many(1_001, String) } }),
    'BAD_USER_INPUT',
    /at "id", has more than 1000 values/,
  ],
  [
    'a decimal of 10,000 digits',
    byVariable({ total: { amount: { gte: '9'.repeat(10_000) } } }),
    'BAD_USER_INPUT',
    /at "total.amount", has a number of more than/,
  ],
  [
    '10,000 digits, literally',
    byLiteral(`{total: {amount: {gte: "${'9'.repeat(10_000)}"}}}`),
    'BAD_USER_INPUT',
    /at "total.amount"/,
  ],
  [
    'a text of 200,000 characters',
    byVariable({ city: { contains: 'x'.repeat(200_000) } }),
    'BAD_USER_INPUT',
    /at "city", has more than/,
  ],
  [
    'a number beyond doubles',
    byText('{"location":{"lat":{"gt":1e999}}}'),
    'BAD_USER_INPUT',
    /location.lat.gt.*Infinity/,
  ],
  ['NaN', byVariable({ location: { lat: { eq: 'NaN' } } }), 'BAD_USER_INPUT', /location.lat.eq/],
  [
    'a date beyond what a Date holds',
    byVariable({ placedAt: { lt: '+275761-01-01T00:00:00Z' } }),
    'BAD_USER_INPUT',
    /placedAt.lt/,
  ],
  ['the 30th of February', byLiteral('{ placedAt: { lt: "2026-02-30T00:00:00Z" } }'), 'BAD_USER_INPUT', /RFC 3339/],
  ['__proto__', byText('{"__proto__":{"city":{"eq":"x"}}}'), 'BAD_USER_INPUT', /unknown field "__proto__"/],
  ['constructor', byVariable({ constructor: { eq: 'x' } }), 'BAD_USER_INPUT', /unknown field "constructor"/],
  ['a list for a filter', byVariable([{}, {}]), 'BAD_USER_INPUT', /OrderFilter/],
])('%s: a code, and what is wrong', async (_title, body, code, message) => {
  const gateway = await startTestGateway()
  const answer = await answered(gateway.graphql, body)
  expect(answer.code).toBe(code)
  expect(answer.message).toMatch(message)
})

test.each<[string, RawRequest['body']]>([
  ['a literal number beyond doubles', byLiteral('{location: {lat: {gt: 1e999}}}')],
  ['-0', byLiteral('{location: {lat: {eq: -0.0}}}')],
  ['the last time with four digits', byVariable({ placedAt: { lt: '9999-12-31T23:59:59.999999999Z' } })],
  ['20 levels', byVariable(nested(20, 'or'))],
  ['as many values as may be', byVariable({ id: { in: many(1_000, String) } })],
  ['ranges that nothing is in', byVariable({ itemCount: { gt: 5, lt: 5 } })],
  ['a value that no event has', byVariable({ and: [{ region: { eq: 'ASIA' } }, { region: { eq: 'AFRICA' } }] })],
])('%s is legal', async (_title, body) => {
  const gateway = await startTestGateway()
  expect(await answered(gateway.graphql, body)).toMatchObject({ code: 'open' })
})

test('lists that are nested deeper than a parser goes, or than documents may be, are refused', async () => {
  const gateway = await startTestGateway()
  const { code } = await answered(gateway.graphql, byLiteral(`${'{or:['.repeat(800)}{}${']}'.repeat(800)}`))
  // It depends on the stack that is left.
  expect(['GRAPHQL_PARSE_FAILED', 'OPERATION_TOO_COMPLEX']).toContain(code)
})
