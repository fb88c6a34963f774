import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseManifest } from '../../../src/admission/persisted/manifest.ts'
import { openManifest } from '../../../src/admission/persisted/open-manifest.ts'
import { Statistics } from '../../kit/statistics.ts'

const apollo = (operations: unknown, more: object = {}) =>
  JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations, ...more })

describe('a manifest is read', () => {
  test('as GraphQL Code Generator and Relay write it: texts by their id', () => {
    expect(parseManifest('{"abc":"{ a }","def":"{ b }"}')).toEqual([
      { id: 'abc', text: '{ a }', name: undefined },
      { id: 'def', text: '{ b }', name: undefined },
    ])
  })

  test('as Apollo writes it, with names', () => {
    const operations = [{ id: 'abc', body: 'query A { a }', name: 'A', type: 'query' }]
    expect(parseManifest(apollo(operations))).toEqual([{ id: 'abc', text: 'query A { a }', name: 'A' }])
  })

  test('with odd ids as what they are', () => {
    const ids = ['__proto__', 'constructor', 'format', 'operations', 'ä', '"', ' ']
    const text = `{${ids.map((id) => `${JSON.stringify(id)}:"{ a }"`).join()}}`
    expect(parseManifest(text).map(({ id }) => id)).toEqual(ids)
  })
})

test.each([
  ['nothing', '', /not valid JSON/],
  ['half of one', '{"a":', /not valid JSON/],
  ['a list', '[]', /no JSON object/],
  ['null', 'null', /no JSON object/],
  ['an object without operations', '{}', /no operations/],
  ['a text that is a number', '{"a":1}', /"a" is no text/],
  ['an empty id', '{"":"{ a }"}', /1 to 256 characters/],
  ['an id of 257 characters', JSON.stringify({ ['x'.repeat(257)]: '{ a }' }), /1 to 256 characters/],
  ["another version of Apollo's", apollo([], { version: 2 }), /version/],
  ["Apollo's without a list", apollo({}), /no list/],
  ["Apollo's without operations", apollo([]), /no operations/],
  ["Apollo's without a body", apollo([{ id: 'a' }]), /operation 0 has no "id" and "body"/],
  ["Apollo's with null", apollo([null]), /operation 0/],
  [
    'one id for two texts',
    apollo([
      { id: 'a', body: '{ a }' },
      { id: 'a', body: '{ b }' },
    ]),
    /two operations/,
  ],
  [
    'too many operations',
    JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [i, '{ a }']))),
    /10000/,
  ],
])('%s is refused in one line', (_what, text, message) => {
  expect(() => parseManifest(text)).toThrow(message)
  try {
    parseManifest(text)
  } catch (error) {
    expect((error as Error).message).not.toContain('\n')
  }
})

describe('a file', () => {
  const fileOf = (text: string | Buffer) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-manifest-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'manifest.json'), text)
    return join(folder, 'manifest.json')
  }

  test('that cannot be used is named, with the reason', () => {
    const broken = fileOf('{')
    expect(() => openManifest(broken)).toThrow(`PERSISTED_OPERATIONS_FILE ${JSON.stringify(broken)} cannot be used`)
    expect(() => openManifest('/no/such/file')).toThrow(/ENOENT/)
    expect(() => openManifest(tmpdir())).toThrow(/cannot be used/)
  })

  test('of more than 32 MiB is not read', () => {
    expect(() => openManifest(fileOf(Buffer.alloc(32 * 1024 * 1024 + 1, ' ')))).toThrow(/33554432 bytes/)
  })
})

test('any text is read, or refused with an Error, and what is read has ids and texts', () => {
  const statistics = new Statistics('manifests', ['read', 'refused', 'no JSON'])
  const operation = fc.record({ id: fc.anything(), body: fc.anything(), name: fc.anything() })
  const manifests = fc.oneof(
    fc.dictionary(fc.string(), fc.string()),
    fc.dictionary(fc.string(), fc.anything()),
    fc.record({
      format: fc.constant('apollo-persisted-query-manifest'),
      version: fc.constantFrom(1, 1, 1, 2, '1'),
      operations: fc.oneof(
        fc.array(operation),
        fc.array(fc.record({ id: fc.string({ minLength: 1 }), body: fc.string() }), { minLength: 1 }),
      ),
    }),
    fc.anything(),
  )
  const texts = fc.oneof(
    {
      weight: 5,
      arbitrary: manifests.map(
        (value) => JSON.stringify(value, (_key, each) => (typeof each === 'bigint' ? 0 : each)) ?? '',
      ),
    },
    { weight: 1, arbitrary: fc.string() },
  )
  fc.assert(
    fc.property(texts, (text) => {
      try {
        for (const { id, text: document } of parseManifest(text)) {
          expect(id).not.toBe('')
          expect(typeof document).toBe('string')
        }
        statistics.count('read')
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        statistics.count((error as Error).message.includes('valid JSON') ? 'no JSON' : 'refused')
      }
    }),
    { numRuns: 2_000 },
  )
  statistics.report()
})
