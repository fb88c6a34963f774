import fc from 'fast-check'
import { buildSchema, execute, GraphQLError, parse } from 'graphql'
import { expect, onTestFinished, test, vi } from 'vitest'
import { formatError } from '../../src/errors/format.ts'
import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { settle, startEngine } from '../kit/engine.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { Statistics } from '../kit/statistics.ts'

const schema = buildSchema(`
  type Query { items: [Item!]!, node: Node, broken: Int }
  interface Node { id: ID, broken: Int }
  type Item implements Node { id: ID, broken: Int, other: Int, items: [Item!]! }
`)

const item = (): object => ({
  __typename: 'Item',
  id: 1,
  broken: () => {
    throw new Error('Broken')
  },
  other: () => Promise.reject(new Error('Other')),
  items: () => [item(), item()],
})

/** Formats all errors of an operation. */
async function failing(errors: ResolverErrors, query: string): Promise<void> {
  const rootValue = { ...item(), node: item() }
  const result = await execute({ schema, document: parse(query), rootValue })
  for (const error of result.errors ?? []) expect(formatError(error, errors).message).toBe('Unexpected error')
}

test('a field that fails for every event is logged once in ten seconds, with how many were left out, and all are counted', async () => {
  const { log, lines } = recordedLog()
  const { open, paint, engine } = startEngine({
    log,
    later: (n) => {
      throw new Error(`Broken ${n}`)
    },
  })
  const { outlet } = open('subscription { paint { n soon: later } }')
  const said = () => lines.filter(({ msg }) => msg === 'A resolver failed')
  for (let n = 0; n < 258; n++) paint(n)
  await settle()
  expect(outlet.results).toHaveLength(258)
  expect(said()).toMatchObject([{ field: 'Paint.later', path: ['paint', 'soon'], unlogged: 0 }])
  vi.advanceTimersByTime(10_000)
  paint(258)
  await settle()
  expect(said()).toMatchObject([{}, { unlogged: 257, err: { message: 'Broken 258' } }])
  expect(engine.shared.errors.counts.get('Paint.later')).toBe(259)
})

test('each field is told of by itself, by its name in the schema, whatever an operation calls it', async () => {
  const { log, lines } = recordedLog()
  const errors = new ResolverErrors(log, schema)
  await failing(errors, '{ items { a: broken other items { ...Broken } } }  fragment Broken on Item { b: broken }')
  await failing(errors, '{ node { broken ... on Item { c: broken } } d: broken }')
  expect(Object.fromEntries(errors.counts)).toEqual({
    other: 0,
    'Item.broken': 2 + 4 + 1,
    'Item.other': 2,
    'Node.broken': 1,
    'Query.broken': 1,
  })
  expect(lines.map(({ field }) => field)).toEqual(['Item.broken', 'Item.other', 'Node.broken', 'Query.broken'])
})

test('however many aliases and documents clients invent, neither labels nor lines are more than the schema has fields', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { log, lines } = recordedLog()
  const errors = new ResolverErrors(log, schema)
  const seen = new Statistics('failing operations', ['errors', 'nested', 'fragments'])
  const name = fc.stringMatching(/^[a-z]{1,12}$/)
  await fc.assert(
    fc.asyncProperty(name, name, fc.boolean(), fc.boolean(), async (outer, inner, isNested, isFragment) => {
      const field = isFragment ? '...F' : `${inner}: broken`
      const fragment = isFragment ? `fragment F on Item { ${inner}: broken ${inner}x: other }` : ''
      await failing(errors, `{ ${outer}: items { ${isNested ? `${inner}y: items { ${field} }` : field} } } ${fragment}`)
      seen.count('errors')
      if (isNested) seen.count('nested')
      if (isFragment) seen.count('fragments')
    }),
    { numRuns: 300 },
  )
  seen.report()
  expect([...errors.counts.keys()].toSorted()).toEqual(['Item.broken', 'Item.other', 'other'])
  expect(lines).toHaveLength(2)
})

test('an error of no field, or without a schema or a text to find it by, counts as another one', () => {
  const { log, lines } = recordedLog()
  const errors = new ResolverErrors(log)
  errors.tell(new Error('A filter'))
  const where = { path: ['items', 3, 'x'], nodes: parse('{ x }').definitions }
  errors.tell(new Error('A field'), new GraphQLError('A field', where))
  expect([...errors.counts]).toEqual([['other', 2]])
  expect(lines).toHaveLength(2)
})
