import { hash } from 'node:crypto'
import { buildSchema } from 'graphql'
import { describe, expect, test } from 'vitest'
import { Limits } from '../../../src/admission/limits/limits.ts'
import { tellInvalid } from '../../../src/admission/persisted/open-persisted.ts'
import { PersistedOperations } from '../../../src/admission/persisted/persisted-operations.ts'
import { ANYBODY, anEntry, openAdmission, someParams } from '../../kit/admission.ts'
import { silentErrors } from '../../kit/errors.ts'
import { recordedLog } from '../../kit/log-lines.ts'

const schema = buildSchema('type Query { a: Int b(last: Int = 1): [Int!]! } type Subscription { c: Int }')
const sha256 = (text: string) => hash('sha256', text, 'hex')

const A = 'query A { a }'
const C = 'subscription C { c }'
const ENTRIES = [
  { id: 'first', text: A, name: 'A' },
  { id: 'sub', text: C, name: undefined },
]

/** Counts what is parsed after the start. */
class CountedLimits extends Limits {
  prepared = 0
  override preparing<T>(...[, , prepare]: Parameters<Limits['preparing']>): T {
    this.prepared++
    return prepare() as T
  }
}

function open(mode: 'off' | 'allowed' | 'only', entries = ENTRIES) {
  const persisted = new PersistedOperations({ mode, entries })
  const limits = new CountedLimits()
  const admission = openAdmission(schema, { persisted, limits })
  const invalid = admission.warm(silentErrors)
  /** The code of the first error, or the operation that is admitted. */
  const ask = async (params: { query?: string; documentId?: string; operationName?: string }) => {
    const { query, ...more } = params
    const result = await admission.admit(anEntry(), ANYBODY, { ...someParams('', more), query })
    if ('errors' in result) return result.errors[0]?.extensions?.code
    return result.admitted.operation.name?.value ?? 'unnamed'
  }
  return { persisted, limits, admission, invalid, ask }
}

describe('an operation of the manifest is run', () => {
  test.each(['allowed', 'only'] as const)('by its id, its hash, with and without a prefix (%s)', async (mode) => {
    const { ask } = open(mode)
    for (const documentId of ['first', 'sha256:first', sha256(A), `sha256:${sha256(A)}`]) {
      expect(await ask({ documentId })).toBe('A')
    }
    expect(await ask({ documentId: 'sub' })).toBe('C')
  })

  test.each(['allowed', 'only'] as const)('by its text, with and without its id (%s)', async (mode) => {
    const { ask } = open(mode)
    expect(await ask({ query: A })).toBe('A')
    expect(await ask({ query: A, documentId: 'first' })).toBe('A')
    expect(await ask({ query: A, documentId: sha256(A) })).toBe('A')
  })

  test('without being parsed again', async () => {
    const { ask, limits, persisted } = open('allowed')
    expect([persisted.size, persisted.pinned]).toEqual([2, 2])
    for (const documentId of ['first', 'sub']) await ask({ documentId })
    await ask({ query: A })
    expect(limits.prepared).toBe(0)
    await ask({ query: '{ a }' })
    expect(limits.prepared).toBe(1)
  })

  test('under the hash of its text, by which it can be blocked', async () => {
    const { admission } = open('only')
    const params = { ...someParams('', { documentId: 'first' }), query: undefined }
    const result = await admission.admit(anEntry(), ANYBODY, params)
    expect('admitted' in result && result.admitted.owner.operation).toEqual({ hash: sha256(A), name: 'A' })
  })
})

describe('other texts', () => {
  test('are run where ids are only allowed', async () => {
    expect(await open('allowed').ask({ query: 'query Other { a }' })).toBe('Other')
  })

  test.each([
    ['another text', 'query Other { a }'],
    ['introspection', '{ __schema { queryType { name } } }'],
    ['the same in other words', 'query A {a}'],
    ['a text with one of the manifest in it', `${A} query Other { a }`],
    ['what is no GraphQL', '{'],
  ])('are refused where only the manifest is run: %s', async (_what, query) => {
    expect(await open('only').ask({ query })).toBe('PERSISTED_OPERATION_REQUIRED')
  })

  test.each(['allowed', 'only'] as const)('are refused with an id that is not theirs (%s)', async (mode) => {
    const { ask } = open(mode)
    const other = 'query Other { a }'
    expect(await ask({ query: other, documentId: 'first' })).toBe('BAD_REQUEST')
    expect(await ask({ query: other, documentId: sha256(A) })).toBe('BAD_REQUEST')
    expect(await ask({ query: A, documentId: 'unknown' })).toBe('BAD_REQUEST')
  })

  test('with their own hash are run, and are not registered by it', async () => {
    const { ask } = open('allowed')
    const other = 'query Other { a }'
    expect(await ask({ query: other, documentId: sha256(other) })).toBe('Other')
    expect(await ask({ documentId: sha256(other) })).toBe('PERSISTED_QUERY_NOT_FOUND')
  })
})

test.each(['allowed', 'only'] as const)('an unknown id is not found (%s)', async (mode) => {
  const { ask } = open(mode)
  for (const documentId of ['nope', '__proto__', 'sha256:', sha256('x')]) {
    expect(await ask({ documentId })).toBe('PERSISTED_QUERY_NOT_FOUND')
  }
})

test('where they are off, an id alone is not supported, and one beside a text is ignored', async () => {
  const { ask } = open('off')
  expect(await ask({ documentId: 'first' })).toBe('PERSISTED_QUERY_NOT_SUPPORTED')
  expect(await ask({ query: A, documentId: 'whatever' })).toBe('A')
})

describe('an operation that cannot be run', () => {
  const ENTRIES_WITH_BAD = [
    ...ENTRIES,
    { id: 'bad', text: 'query Bad { nope }', name: 'Bad' },
    { id: 'broken', text: '{', name: undefined },
  ]

  test('is told by its name and the reason, and leaves the others', async () => {
    const { invalid, ask, persisted } = open('only', ENTRIES_WITH_BAD)
    expect(invalid).toEqual([
      { id: 'bad', name: 'Bad', reason: expect.stringContaining('nope') },
      { id: 'broken', name: undefined, reason: expect.stringContaining('Syntax Error') },
    ])
    expect(await ask({ documentId: 'first' })).toBe('A')
    expect(await ask({ documentId: 'bad' })).toBe('GRAPHQL_VALIDATION_FAILED')
    expect(await ask({ documentId: 'broken' })).toBe('GRAPHQL_PARSE_FAILED')

    const { log, lines } = recordedLog()
    tellInvalid(persisted, invalid, log)
    expect(lines.filter(({ msg }) => msg === 'A persisted operation cannot be run')).toMatchObject([
      { id: 'bad', operation: 'Bad' },
      { id: 'broken' },
    ])
  })

  test('stops the start where all are such', () => {
    const { persisted, invalid } = open('only', [{ id: 'bad', text: '{ nope }', name: undefined }])
    const { log } = recordedLog()
    expect(() => tellInvalid(persisted, invalid, log)).toThrow(/^None of the 1 operations .*nope/)
  })

  test('is logged with at most 20 others', () => {
    const entries = Array.from({ length: 50 }, (_, i) => ({ id: `${i}`, text: `{ nope${i} }`, name: undefined }))
    const { persisted, invalid } = open('only', [...ENTRIES, ...entries])
    const { log, lines } = recordedLog()
    tellInvalid(persisted, invalid, log)
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(21)
    expect(lines.find(({ unlogged }) => unlogged)).toMatchObject({ unlogged: 30 })
  })
})
