import { readFileSync } from 'node:fs'
import { type DocumentNode, parse } from 'graphql'
import { expect, test } from 'vitest'
import { type DocumentNode as AnyDocument, printDocument } from '../../packages/client/src/print-document.ts'

const DOCUMENTS = [
  '{ a }',
  'query { a }',
  'subscription Orders($region: Region!, $where: OrderFilter = {total: {amount: {gte: "100"}}}) @live { o: orders(region: $region, where: $where) { id } }',
  'mutation M($a: [Int!]! = [1, 2, -3], $b: Float = 1.5e10, $c: Boolean = true, $d: E = RED, $n: T = null) { m(a: $a, b: $b) }',
  'query Q { a @skip(if: true) @include(if: $x) { ...F ... on T @d(a: 1) { b } ... { c } ... @include(if: false) { d } } } fragment F on T @x { y }',
  'query($v: String = "a \\"quoted\\" \\\\ text, \\n lines, \\u00e9 and 東京 🛒") { a(x: "\\t", y: """block "text"\n  of two lines""", z: "") }',
  'query A { a } query B { b(list: [[1], []], object: {}) }',
  '{ __typename a: b(x: [{y: {z: ENUM}}]) { __typename } }',
]

const withoutPlaces = (document: DocumentNode): AnyDocument =>
  JSON.parse(JSON.stringify(document, (key, value) => (key === 'loc' || key === 'block' ? undefined : value)))

test.each(DOCUMENTS)('%s is printed as a document that is parsed to the same', (text) => {
  const document = withoutPlaces(parse(text, { noLocation: true }))
  expect(withoutPlaces(parse(printDocument(document), { noLocation: true }))).toEqual(document)
})

test('what the project has of operations is printed as it was', () => {
  const generated = readFileSync(new URL('../../examples/client/src/gql/graphql.ts', import.meta.url), 'utf8')
  const documents = Array.from(
    generated.matchAll(/^export const \w+Document = (\{.*\}) as unknown/gm),
    ([, text]) => text!,
  )
  expect(documents.length).toBeGreaterThan(0)
  for (const text of documents) {
    const document = withoutPlaces(JSON.parse(text))
    const { __meta__: _, ...own } = document
    expect(withoutPlaces(parse(printDocument(document), { noLocation: true }))).toEqual(own)
  }
})

test('what is no part of an operation is refused by its kind', () => {
  const document = parse('type Query { a: Int }') as unknown as AnyDocument
  expect(() => printDocument(document)).toThrow(
    new TypeError('A document has a node of the kind ObjectTypeDefinition, which no operation has'),
  )
})
