import fc from 'fast-check'
import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { Statistics } from '../kit/statistics.ts'
import { NAMES, schemaOf, schemaSpec, selectionOf } from './generated-schema.ts'
import { SingleClient } from './single/client.ts'

interface Body {
  readonly query: string
  readonly variables?: object
}

/** The JSON of an operation's result, however it comes; of a refusal, its errors. */
async function answers(gateway: TestGateway, single: SingleClient, id: string, body: Body): Promise<string[]> {
  const isSubscription = body.query.startsWith('subscription')
  const plain = isSubscription ? [] : ['application/json', 'application/graphql-response+json', '*/*']
  const texts: string[] = []
  for (const accept of plain) {
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers: { accept }, body })
    expect(answer.status).toBeLessThan(500)
    texts.push(answer.body)
  }
  const stream = await RawStream.answer(gateway.graphql, {
    method: 'POST',
    headers: { accept: 'text/event-stream' },
    body,
  })
  texts.push(stream.blocks.find(({ event }) => event === 'next')?.data ?? '')
  const started = await single.start(id, body.query, body.variables ? { variables: body.variables } : {})
  expect([202, 400]).toContain(started.status)
  if (started.status === 400) return [...texts, started.body]
  await single.untilTold(2, id)
  const [told] = single.stream.blocks.filter(({ event, data }) => event === 'next' && data?.startsWith(`{"id":"${id}"`))
  return [...texts, told?.data?.slice(`{"id":"${id}","payload":`.length, -1) ?? '']
}

test('an operation has the same answer by plain HTTP of both types, as an event stream, and in single connection mode', async () => {
  const statistics = new Statistics('answers', [
    'with data',
    'with errors',
    'without data',
    'refused',
    'a mutation',
    'a subscription',
    'masked',
    'for clients',
    ...NAMES,
  ])
  let count = 0
  await fc.assert(
    fc.asyncProperty(
      schemaSpec.chain((spec) =>
        fc.tuple(
          fc.constant(spec),
          fc.array(
            fc.tuple(
              fc.constantFrom('query', 'query', 'mutation', 'subscription'),
              selectionOf(spec, 0, 2),
              fc.constantFrom(1, null, undefined, 'x'),
            ),
            {
              minLength: 6,
              maxLength: 12,
            },
          ),
        ),
      ),
      async ([spec, operations]) => {
        const schema = schemaOf(spec)
        const gateway = await startTestGateway({ schema, topics: [] })
        const single = await SingleClient.open(gateway.graphql)
        for (const [kind, set, maybe] of operations) {
          const inner = kind === 'subscription' ? `once { ${set} }` : set
          const query = `${kind} ($n: Int = 5, $maybe: Int = 6, $input: Input) { ${inner} } `
          const errors = validate(schema, parse(query)).filter(({ message }) => !message.includes('is never used'))
          const used = ['n', 'maybe', 'input'].filter((name) => set.includes(`$${name}`))
          const head =
            used.length > 0
              ? `(${used.map((name) => ({ n: '$n: Int = 5', maybe: '$maybe: Int = 6', input: '$input: Input' })[name]).join(', ')})`
              : ''
          const variables = { ...(maybe !== undefined && { maybe }), input: { list: [1], inner: { n: 3 } } }
          const texts = await answers(gateway, single, `o${count++}`, {
            query: `${kind} ${head} { ${inner} }`,
            variables,
          })
          const [first = ''] = texts
          for (const each of texts) expect(each, query).toBe(first)
          expect(first).not.toContain('secret')
          if (kind !== 'query') statistics.count(`a ${kind}`)
          const result = JSON.parse(first)
          if (errors.length > 0) statistics.count('refused')
          if (result.errors) statistics.count('with errors')
          statistics.count(result.data ? 'with data' : 'without data')
          if (first.includes('Unexpected error')) statistics.count('masked')
          if (first.includes('THEIRS')) statistics.count('for clients')
          for (const name of NAMES) if (first.includes(`"${name}":`)) statistics.count(name)
        }
        single.stream.socket.destroy()
        await gateway.close()
      },
    ),
    { numRuns: 60 },
  )
  statistics.report()
})

const ALIASES = NAMES.map((name) => `${name}: __typename`).join(' ')

test.each([
  ...NAMES.map((name) => `{ ${name}: __typename }`),
  `{ ${ALIASES} }`,
  `{ f0 { ${ALIASES} } }`,
  `{ f1 { ${ALIASES} f0 { then: hello } } }`,
])('names that JavaScript knows are names like others: %s', async (query) => {
  const value = { type: 'self', list: false, required: false } as const
  const fields = [
    { ...value, outcome: 'value' },
    { ...value, outcome: 'later' },
  ] as const
  const gateway = await startTestGateway({ schema: schemaOf([fields, fields]), topics: [] })
  const single = await SingleClient.open(gateway.graphql)
  for (const [id, text] of [
    ['q', query],
    ['s', `subscription { once ${query} }`],
  ] as const) {
    const [first = '', ...others] = await answers(gateway, single, id, { query: text })
    for (const each of others) expect(each).toBe(first)
    expect(first).not.toContain('errors":[')
    for (const name of NAMES) if (query.includes(` ${name}:`)) expect(first).toContain(`"${name}":`)
  }
})
