import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { compareSchemas, type SchemaChanges, verdictOf } from '../../src/cli/schema-changes.ts'
import { Statistics } from '../kit/statistics.ts'

interface Change {
  readonly kind: keyof SchemaChanges
  readonly before: string
  readonly after: string
}

/** Kinds of changes, each to a type of its own: what is written for its name before and after. */
const KINDS: Record<string, (name: string) => Change> = {
  'a field is added': (name) => ({
    kind: 'harmless',
    before: `type ${name} { a: Int }`,
    after: `type ${name} { a: Int b: Int }`,
  }),
  'a field is deprecated': (name) => ({
    kind: 'harmless',
    before: `type ${name} { a: Int }`,
    after: `type ${name} { a: Int @deprecated(reason: "b") }`,
  }),
  'a field is removed': (name) => ({
    kind: 'breaking',
    before: `type ${name} { a: Int b: Int }`,
    after: `type ${name} { a: Int }`,
  }),
  'a deprecated field is removed': (name) => ({
    kind: 'removed',
    before: `type ${name} { a: Int b: Int @deprecated }`,
    after: `type ${name} { a: Int }`,
  }),
  'a field takes another type': (name) => ({
    kind: 'breaking',
    before: `type ${name} { a: Int }`,
    after: `type ${name} { a: String }`,
  }),
  'a field becomes nullable': (name) => ({
    kind: 'breaking',
    before: `type ${name} { a: Int! }`,
    after: `type ${name} { a: Int }`,
  }),
  'a field becomes non-null': (name) => ({
    kind: 'harmless',
    before: `type ${name} { a: Int }`,
    after: `type ${name} { a: Int! }`,
  }),
  'an argument is required': (name) => ({
    kind: 'breaking',
    before: `type ${name} { a: Int }`,
    after: `type ${name} { a(b: Int!): Int }`,
  }),
  'an argument is added': (name) => ({
    kind: 'dangerous',
    before: `type ${name} { a: Int }`,
    after: `type ${name} { a(b: Int): Int }`,
  }),
  'an argument is removed': (name) => ({
    kind: 'breaking',
    before: `type ${name} { a(b: Int): Int }`,
    after: `type ${name} { a: Int }`,
  }),
  'a deprecated argument is removed': (name) => ({
    kind: 'removed',
    before: `type ${name} { a(b: Int @deprecated): Int }`,
    after: `type ${name} { a: Int }`,
  }),
  'a value is added': (name) => ({ kind: 'dangerous', before: `enum ${name} { A }`, after: `enum ${name} { A B }` }),
  'a value is removed': (name) => ({ kind: 'breaking', before: `enum ${name} { A B }`, after: `enum ${name} { A }` }),
  'a deprecated value is removed': (name) => ({
    kind: 'removed',
    before: `enum ${name} { A B @deprecated }`,
    after: `enum ${name} { A }`,
  }),
  'an input field is removed': (name) => ({
    kind: 'breaking',
    before: `input ${name} { a: Int b: Int }`,
    after: `input ${name} { a: Int }`,
  }),
  'an input field is required': (name) => ({
    kind: 'breaking',
    before: `input ${name} { a: Int }`,
    after: `input ${name} { a: Int b: Int! }`,
  }),
  'a description is written': (name) => ({
    kind: 'harmless',
    before: `type ${name} { a: Int }`,
    after: `type ${name} { "An a" a: Int }`,
  }),
}

test('each kind of change is told for what it is, whatever changes beside it', async () => {
  const statistics = new Statistics('Changes of a schema', Object.keys(KINDS))
  const kinds = fc.array(fc.constantFrom(...Object.keys(KINDS)), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(kinds, async (chosen) => {
      const changes = chosen.map((kind, i) => ({ ...KINDS[kind]!(`T${i}`), name: `T${i}` }))
      const of = (side: 'before' | 'after') =>
        ['type Query { ok: Int }', ...changes.map((each) => each[side])].join('\n')
      const told = await compareSchemas(of('before'), of('after'))
      for (const { kind, name } of changes) {
        const kindsTold = (['breaking', 'removed', 'dangerous', 'harmless'] as const).filter((each) =>
          told[each].some((message) => new RegExp(`\\b${name}\\b`).test(message)),
        )
        expect(kindsTold).toEqual([kind])
      }
      expect(verdictOf(told).ok).toBe(!changes.some(({ kind }) => kind === 'breaking'))
      for (const kind of chosen) statistics.count(kind)
    }),
    { numRuns: 100 },
  )
  statistics.report()
})

test('a type to which only a deprecated field led is removed with it', async () => {
  const before = 'type Query { ok: Int old: Old @deprecated } type Old { a: Int }'
  const { breaking, removed } = await compareSchemas(before, 'type Query { ok: Int }')
  expect(breaking).toEqual([])
  expect(removed).toHaveLength(2)
})

test('a schema that cannot be read is named', async () => {
  await expect(compareSchemas('type', 'type Query { a: Int }')).rejects.toThrow(/^The released schema is none: Syntax/)
  await expect(compareSchemas('type Query { a: Int }', 'type Query { a: B }')).rejects.toThrow(/^The schema is none: /)
})

test.each([
  [
    'type Query { a: Int b: Int }',
    'type Query { a: Int }',
    1,
    /^Breaking: Field 'b' was removed from object type 'Query'$/m,
  ],
  [
    'enum E { A } type Query { e: E }',
    'enum E { A B } type Query { e: E }',
    0,
    /^Dangerous: Enum value 'B' was added/m,
  ],
  ['type Query { a: Int b: Int @deprecated }', 'type Query { a: Int }', 0, /^Removed: Field 'b' \(deprecated\)/m],
  ['type Query { a: Int }', 'type Query { a: Int }', 0, /^Changes since the released schema: 0 breaking/m],
])('the check of %s against %s ends with %i', (released, present, code, line) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-schemas-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const files = { released, present }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const args = ['scripts/check-released.ts', join(folder, 'released'), join(folder, 'present')]
  const run = () => execFileSync(process.execPath, args, { encoding: 'utf8' })
  if (code === 0) expect(run()).toMatch(line)
  else expect(run).toThrow(expect.objectContaining({ status: code, stdout: expect.stringMatching(line) }))
})
