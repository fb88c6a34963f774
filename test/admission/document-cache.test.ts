import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import type { Admission, AdmissionResult, Admitted } from '../../src/admission/admission.ts'
import { schema } from '../../src/resolvers/schema.ts'
import { ANONYMOUS, type Context } from '../../src/schema/context.ts'
import { ANYBODY, anEntry, openAdmission, someParams } from '../kit/admission.ts'
import { bestMs } from '../kit/yardstick.ts'
import { EXPENSIVE } from './documents.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const MIB = 1024 * 1024
const CONTEXT = { audience: ANONYMOUS, streams: undefined } as unknown as Context

function heapUsed(): number {
  for (let count = 0; count < 4; count++) collectGarbage()
  return process.memoryUsage().heapUsed
}

function admit(admission: Admission, query: string, variables?: Record<string, unknown>): Promise<AdmissionResult> {
  return admission.admit(anEntry(), ANYBODY, someParams(query, { variables }))
}

async function admitted(admission: Admission, query: string, variables?: Record<string, unknown>): Promise<Admitted> {
  const result = await admit(admission, query, variables)
  if ('errors' in result) throw new Error(JSON.stringify(result.errors))
  return result.admitted
}

async function prepare(admission: Admission, query: string, variables?: Record<string, unknown>) {
  const { document, prepared } = await admitted(admission, query, variables)
  const operation = prepared.prepare({ schema, document, operationName: undefined, variables, context: CONTEXT })
  if (!('args' in operation)) throw operation[0]
  return operation
}

/** Documents that differ in one alias each, by what most of them are made of. */
const KINDS: Readonly<Record<string, (i: number) => string>> = {
  aliases: (i) => subscription(i, Array.from({ length: 1_000 }, (_, k) => `a${k}x${i}: city`).join(' ')),
  'short fields': (i) => subscription(i, 'id '.repeat(1_500)),
  objects: (i) => subscription(i, 'total{amount}'.repeat(700)),
  'inline fragments': (i) => subscription(i, '...{id}'.repeat(900)),
  fragments: (i) =>
    `${subscription(i, Array.from({ length: 150 }, (_, k) => `...F${k}`).join(' '))} ${Array.from({ length: 150 }, (_, k) => `fragment F${k} on Order { id city }`).join(' ')}`,
  'small ones': (i) => subscription(i, 'id city'),
  'a long comment': (i) => `# ${'x'.repeat(20_000)}\n${subscription(i, 'id')}`,
}
const subscription = (i: number, selections: string) =>
  `subscription { o${i}: ordersByRegion(region: EUROPE) { ${selections} } }`

test.each(Object.entries(KINDS))(
  'documents and their operations take a bounded part of the heap: %s',
  async (_kind, text) => {
    const admission = openAdmission(schema)
    await prepare(admission, text(0))
    const before = heapUsed()
    let all = 0
    for (let i = 1; all < 45 * MIB; i++) {
      const { document, own } = (await prepare(admission, text(i))).weight
      all += document + own
    }
    const taken = heapUsed() - before
    console.log(`documents of ${(all / MIB).toFixed(1)} MiB take ${(taken / MIB).toFixed(1)} MiB`)
    expect(taken).toBeGreaterThan(8 * MIB)
    expect(admission.cacheBytes).toBeLessThan(34 * MIB)
    expect(taken).toBeLessThan(1.15 * admission.cacheBytes + MIB)
  },
)

test('operations of one document with ever other variables take a bounded part of the heap', async () => {
  const query = `subscription ($region: Region!, $unused: [String!]) { ordersByRegion(region: $region) { id @skip(if: false) } streams: __typename @skip(if: true) }`
  const used = query.replace(', $unused: [String!]', '').replace(' streams: __typename @skip(if: true)', '')
  const admission = openAdmission(schema)
  const other = (i: number) => ({ region: 'EUROPE', [`extra${i}`]: Array.from({ length: 300 }, () => ({})) })
  await prepare(admission, used, other(0))
  const before = heapUsed()
  for (let i = 1; i < 3_000; i++) await prepare(admission, used, other(i))
  const taken = heapUsed() - before
  console.log(`3,000 sets of variables take ${(taken / MIB).toFixed(1)} MiB`)
  expect(taken).toBeLessThan(6 * MIB)
})

test('an operation is prepared once for the same document, variables and audience', async () => {
  const admission = openAdmission(schema)
  const query = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id } }'
  const one = await prepare(admission, query, { region: 'EUROPE' })
  expect(await prepare(admission, query, { region: 'EUROPE' })).toBe(one)
  expect(await prepare(admission, query, { region: 'ASIA' })).not.toBe(one)
  expect((await admitted(admission, query, { region: 'ASIA' })).document).toBe(one.args.document)
})

test('a document that is refused is refused again without being read, and refusals are bounded', async () => {
  const admission = openAdmission(schema)
  const refusal = async (query: string) => {
    const result = await admit(admission, query)
    if (!('errors' in result)) throw new Error('It was admitted')
    return result.errors
  }
  const kinds = [
    '{ nope }',
    '{ nope',
    `{ ${'a'.repeat(65)}: __typename }`,
    '{ a: __typename b: streams { topic } a: streams { topic } }',
  ]
  for (const query of kinds) expect(await refusal(query)).toBe(await refusal(query))
  for (let i = 0; i < 1_000; i++) await refusal(`{ ${Array.from({ length: 30 }, (_, k) => `n${i}x${k}`).join(' ')} }`)
  expect(admission.cacheBytes).toBeLessThan(3 * MIB)
})

test('a refusal quotes no more of a document than somebody reads', async () => {
  const admission = openAdmission(schema)
  const long = 'x'.repeat(100_000)
  for (const query of [
    `{ ${long} }`,
    `{ recentOrders(last: "${long}") { id } }`,
    `{ recentOrders(region: ${long}) { id } }`,
  ]) {
    const result = await admit(admission, query)
    expect(JSON.stringify(result).length).toBeLessThan(2_000)
    expect(result).toHaveProperty('errors')
  }
})

test('no document that is read takes much longer to admit or refuse than an ordinary one of its size, first as last', async () => {
  const plain = 'an ordinary one, by graphql-js'
  const ordinary = EXPENSIVE.aliases as string
  const { [plain]: yardstick, ...kinds } = (await bestMs(5, {
    [plain]: () => validate(schema, parse(ordinary)),
    ...Object.fromEntries(
      Object.entries(EXPENSIVE).map(([kind, query]) => [kind, () => admit(openAdmission(schema), query)]),
    ),
  })) as Record<string, number> & { [plain]: number }
  const ratios = Object.entries(kinds).map(([kind, ms]) => [kind, ms / yardstick] as const)
  console.log(`× ${plain}: ${ratios.map(([kind, ratio]) => `${kind} ${ratio.toFixed(2)}`).join(', ')}`)
  // A check that is quadratic in what a document may hold takes 35 and more.
  for (const [kind, ratio] of ratios) expect(ratio, kind).toBeLessThan(10)
})
