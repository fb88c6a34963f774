import fc from 'fast-check'
import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'
import { ANYBODY, anEntry, openAdmission, someParams } from '../kit/admission.ts'
import { Statistics } from '../kit/statistics.ts'

const schema = buildSchema(`
  type Query { recentOrders(region: Region, last: Int): [Order!]! node: Node }
  type Subscription { orders: Order }
  interface Node { id: ID }
  type Order implements Node { id: ID city: String }
  enum Region { EUROPE ASIA }
`)
const closed = openAdmission(schema, { introspection: false })
const open = openAdmission(schema)

async function errorsOf(admission: typeof open, query: string) {
  const result = await admission.admit(anEntry(), ANYBODY, someParams(query))
  return 'errors' in result ? result.errors : []
}

const SCHEMA = '__schema { queryType { name } }'
const TYPE = '__type(name: "Order") { name }'

test.each([
  `{ ${SCHEMA} }`,
  `{ ${TYPE} }`,
  `{ other: ${SCHEMA} }`,
  `{ node { id } ... { ${SCHEMA} } }`,
  `{ ... on Query { ${TYPE} } }`,
  `{ ...F } fragment F on Query { ${SCHEMA} }`,
  `{ ...F } fragment F on Query { ...G } fragment G on Query { ... on Query { t: ${TYPE} } }`,
  `query Used { node { id } } query Unused { ${SCHEMA} }`,
  `query ($yes: Boolean!) { ${SCHEMA.replace('{', '@include(if: $yes) {')} }`,
  `{ ${SCHEMA.replace('{', '@skip(if: true) {')} }`,
  `mutation { ${SCHEMA} }`,
  `subscription { ${SCHEMA} }`,
])('is refused where it is off: %s', async (query) => {
  const errors = await errorsOf(closed, query)
  expect(errors.map(({ extensions }) => extensions?.code)).toContain('GRAPHQL_VALIDATION_FAILED')
  expect(JSON.stringify(errors)).toMatch(/introspection is off|not configured/)
})

test('leaves __typename, which clients need', async () => {
  expect(await errorsOf(closed, '{ __typename node { __typename ... on Order { __typename id } } }')).toEqual([])
})

test('is what it was where it is on', async () => {
  expect(await errorsOf(open, `{ ${SCHEMA} ${TYPE} }`)).toEqual([])
  expect(JSON.stringify(await errorsOf(open, '{ recentOrder { id } }'))).toContain('Did you mean')
})

test.each([
  '{ recentOrder { id } }',
  '{ node { idd } }',
  '{ node { city } }',
  '{ recentOrders(regio: EUROPE) { id } }',
  '{ recentOrders(region: EUROP) { id } }',
  '{ recentOrders(region: "EUROPE") { id } }',
  '{ node { ... on Orde { id } } }',
  '{ node @includ(if: true) { id } }',
  'query ($r: Regio) { recentOrders(region: $r) { id } }',
])('suggests no name of the schema where it is off: %s', async (query) => {
  const errors = await errorsOf(closed, query)
  expect(errors.length).toBeGreaterThan(0)
  expect(JSON.stringify(errors)).not.toContain('Did you mean')
})

test('a document passes where it is off exactly if it passes where it is on, and names no field of introspection', async () => {
  const statistics = new Statistics('documents', ['refused by both', 'passed by both', 'introspection'])
  const leaf = fc.constantFrom('id', 'city', '__typename', 'x: id', 'nope', SCHEMA, TYPE)
  const selections = fc.array(
    fc.oneof(
      leaf,
      fc.constantFrom('node { id }', 'recentOrders { city }', '...F', '... on Query { __typename }', '...G'),
      leaf.map((each) => `... { ${each} }`),
    ),
    { minLength: 1, maxLength: 4 },
  )
  const documents = fc.tuple(selections, selections, selections).map(([query, f, g]) => {
    const used = (name: string) => [...query, ...f].some((each) => each.includes(`...${name}`))
    const fragment = (name: string, of: string[]) =>
      used(name)
        ? ` fragment ${name} on Query { ${of.filter((each) => !each.includes('...')).join(' ') || '__typename'} }`
        : ''
    return `{ ${query.join(' ')} }${fragment('F', f)}${fragment('G', g)}`
  })
  await fc.assert(
    fc.asyncProperty(documents, async (query) => {
      const isOpen = (await errorsOf(open, query)).length === 0
      const isClosed = (await errorsOf(closed, query)).length === 0
      const asks = /__schema|__type\(/.test(query)
      expect(isClosed).toBe(isOpen && !asks)
      statistics.count(asks && isOpen ? 'introspection' : isOpen ? 'passed by both' : 'refused by both')
    }),
    { numRuns: 500 },
  )
  statistics.report()
})
