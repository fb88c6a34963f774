import {
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { SingleClient } from './single/client.ts'

const Anything = new GraphQLScalarType({ name: 'Anything' })
const Input: GraphQLInputObjectType = new GraphQLInputObjectType({
  name: 'Input',
  fields: () => ({ inner: { type: Input }, list: { type: new GraphQLList(Input) } }),
})
const args = { any: { type: Anything }, input: { type: Input } }
const Node: GraphQLObjectType = new GraphQLObjectType({
  name: 'Node',
  fields: () => ({ n: { type: GraphQLInt, args, resolve: () => 1 }, node: { type: Node, resolve: () => ({}) } }),
})
const fields = { node: { type: Node, args, resolve: () => ({}) }, n: { type: GraphQLInt, args, resolve: () => 1 } }
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      node: {
        ...fields.node,
        subscribe: async function* () {
          yield {}
        },
      },
    },
  }),
})

const nest = (open: string, middle: string, close: string, depth: number): string =>
  open.repeat(depth) + middle + close.repeat(depth)

/** Levels of values, and of fields. */
const VALUES = 50
const FIELDS = 30

interface Deep {
  readonly what: string
  readonly code: string
  readonly most: number
  /** The text of a request with so many levels. */
  readonly body: (depth: number, kind: string) => string
}

const asBody = (query: string, variables = '{}'): string =>
  `{"query":${JSON.stringify(query)},"variables":${variables}}`
const head = (kind: string, variable: string): string =>
  `${kind} (${variable}) { node(any: $any, input: $input) { n } }`
const both = '$any: Anything, $input: Input'
const fragments = (depth: number): string =>
  Array.from(
    { length: depth },
    (_, i) => `fragment F${i} on Node { node { ${i === depth - 1 ? 'n' : `...F${i + 1}`} } }`,
  ).join(' ')

const DEEP: readonly Deep[] = [
  {
    what: 'an object in variables',
    code: 'BAD_USER_INPUT',
    most: VALUES,
    body: (depth, kind) => asBody(head(kind, both), `{"any":${nest('{"a":', '1', '}', depth - 1)}}`),
  },
  {
    what: 'a list in variables',
    code: 'BAD_USER_INPUT',
    most: VALUES,
    body: (depth, kind) => asBody(head(kind, both), `{"any":${nest('[', '1', ']', depth - 1)}}`),
  },
  {
    what: 'an input object in variables',
    code: 'BAD_USER_INPUT',
    most: VALUES,
    body: (depth, kind) => asBody(head(kind, both), `{"input":${nest('{"inner":', '{}', '}', depth - 2)}}`),
  },
  {
    what: 'a variable that is not declared',
    code: 'BAD_USER_INPUT',
    most: VALUES,
    body: (depth, kind) => asBody(`${kind} { node { n } }`, `{"any":${nest('[', '1', ']', depth - 1)}}`),
  },
  {
    what: 'a literal list',
    code: 'OPERATION_TOO_COMPLEX',
    most: VALUES,
    body: (depth, kind) => asBody(`${kind} { node(any: ${nest('[', '1', ']', depth)}) { n } }`),
  },
  {
    what: 'a literal object',
    code: 'OPERATION_TOO_COMPLEX',
    most: VALUES,
    body: (depth, kind) => asBody(`${kind} { node(any: ${nest('{ a: ', '1', '}', depth)}) { n } }`),
  },
  {
    what: 'a literal input object',
    code: 'OPERATION_TOO_COMPLEX',
    most: VALUES,
    body: (depth, kind) => asBody(`${kind} { node(input: ${nest('{ inner: ', '{}', '}', depth)}) { n } }`),
  },
  {
    what: 'a default value',
    code: 'OPERATION_TOO_COMPLEX',
    most: VALUES,
    body: (depth, kind) => asBody(head(kind, `$any: Anything = ${nest('[', '1', ']', depth)}, $input: Input`)),
  },
  {
    what: 'selections',
    code: 'OPERATION_TOO_COMPLEX',
    most: FIELDS,
    body: (depth, kind) => asBody(`${kind} { ${nest('node { ', 'n', ' }', depth - 1)} }`),
  },
  {
    what: 'fragments within fragments',
    code: 'OPERATION_TOO_COMPLEX',
    most: FIELDS,
    body: (depth, kind) => asBody(`${kind} { node { ...F0 } } ${fragments(depth - 2)}`),
  },
]

const KINDS = ['query', 'subscription']
const CASES = DEEP.flatMap((deep) => KINDS.map((kind) => ({ ...deep, kind })))

describe('what is nested', () => {
  test.each(CASES)('$what of a $kind to $most levels is read', async ({ body, kind, most }) => {
    const gateway = await startTestGateway({ schema, topics: [] })
    const headers = { accept: 'text/event-stream' }
    const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers, body: body(most, kind) })
    expect(answer.results).toEqual([{ data: { node: expect.anything() } }])
  })

  test.each(CASES)(
    '$what of a $kind deeper than that is refused the same by every transport',
    async ({ what, body, kind, code, most }) => {
      const { log, lines } = recordedLog()
      const gateway = await startTestGateway({ schema, topics: [], log })
      const single = await SingleClient.open(gateway.graphql)
      lines.length = 0
      for (const depth of [most + 1, 300, 1_000, 5_000, 20_000]) {
        const text = body(depth, kind)
        // There is a limit for bodies too, and one for tokens.
        if (text.length > 250_000) continue
        const told: string[] = []
        for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream']) {
          if (kind === 'subscription' && accept !== 'text/event-stream') continue
          const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers: { accept }, body: text })
          told.push(JSON.stringify(accept === 'text/event-stream' ? answer.results[0] : answer.json))
        }
        // The test's own JSON.stringify has a stack too.
        const withId = `${text.slice(0, -1)},"extensions":{"operationId":"o${depth}"}}`
        const started = await single.ask({ method: 'POST', body: withId })
        told.push(started.body)
        for (const each of told) expect(each).toBe(told[0])
        const [error] = JSON.parse(told[0] ?? '').errors
        // The parser has limits of its own.
        const isUnread = /Document contains more than|nested too deeply$/.test(error.message)
        expect(error.extensions.code, `${what} ${depth}`).toBe(isUnread ? 'GRAPHQL_PARSE_FAILED' : code)
        if (!isUnread) expect(error.message).toMatch(/levels (deep|of fields)$|than 200 fragments$/)
      }
      expect(lines.filter(({ level }) => level >= 40)).toEqual([])
    },
  )
})
