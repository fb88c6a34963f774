import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { isInert } from '../../../src/streams/topic/validator/support.ts'
import { compileValidator, INVALID, Validator } from '../../../src/streams/topic/validator.ts'
import { Statistics } from '../../kit/statistics.ts'
import { type Part, parts } from './validator-schemas.ts'
import { path, replaced, type Sample, same, samples } from './validator-values.ts'

type Outcome = { readonly value: unknown } | 'refused' | 'threw'

function outcome(validate: () => unknown): Outcome {
  try {
    const value = validate()
    return value === INVALID ? 'refused' : { value }
  } catch {
    return 'threw'
  }
}

function ofZod(schema: z.ZodType, value: unknown): Outcome {
  return outcome(() => {
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed.data : INVALID
  })
}

/**
 * INVALID leaves it to zod: to throw, and to read again what runs code when it is read. A value that throws when it is
 * read may be taken where zod throws: for the words of a union's issues zod reads more of it than validation needs.
 */
function agrees(compiled: Outcome, zods: Outcome, value: unknown): boolean {
  if (typeof compiled === 'object') {
    return typeof zods === 'object' ? same(compiled.value, zods.value) : zods === 'threw' && !isInert(value)
  }
  return compiled === zods || (compiled === 'refused' && (zods === 'threw' || !isInert(value)))
}

interface Case extends Part {
  readonly given: readonly Sample[]
}

function cases(depth: number): fc.Arbitrary<Case> {
  return parts(depth).chain((part) =>
    fc
      .array(samples(part.values), { minLength: 8, maxLength: 8 })
      .map((given) => ({ ...part, given, [fc.toStringMethod]: () => part.kinds.join(', ') })),
  )
}

const RUNS = 3000

test.each([0, 1, 2, 3])(
  'a compiled schema of depth %i says what zod says, whatever the schema and the value',
  (depth) => {
    const interesting = ['schemas', 'left to zod as a whole', 'accepted', 'refused', 'threw', 'near miss accepted']
    const statistics = new Statistics(`validator, depth ${depth}`, [
      ...interesting,
      'hostile accepted',
      'hostile refused',
    ])
    const kinds = new Map<string, number>()
    fc.assert(
      fc.property(cases(depth), ({ schema, kinds: of, given }) => {
        const compiled = compileValidator(schema)
        statistics.count('schemas')
        if (!compiled) statistics.count('left to zod as a whole')
        for (const kind of new Set(of)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
        for (const { how, value } of given) {
          const zods = ofZod(schema, value)
          const said = typeof zods === 'object' ? 'accepted' : zods
          statistics.count(said)
          if (how === 'near' && said === 'accepted') statistics.count('near miss accepted')
          if (how !== 'near' && how !== 'valid' && how !== 'any' && said !== 'threw')
            statistics.count(`hostile ${said}`)
          if (!compiled) continue
          const ours = outcome(() => compiled(value))
          if (ours === 'refused' && said === 'accepted') statistics.count('left to zod')
          if (agrees(ours, zods, value)) continue
          const sayings = `${show(ours)}, and zod ${show(zods)}`
          expect.fail(`${of.join(', ')}: ${how} value ${written(value)}: ${sayings}\n${compiled}`)
        }
      }),
      { numRuns: RUNS },
    )
    statistics.report()
    console.log(
      `validator, depth ${depth}: ${[...kinds]
        .sort()
        .map(([kind, times]) => `${kind} ${times}`)
        .join(', ')}`,
    )
  },
)

/** Deeper than any call stack reaches. */
const DEEP = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

const deepCases = parts(2).chain((part) =>
  fc
    .array(fc.tuple(part.values, path), { minLength: 4, maxLength: 4 })
    .map((given) => ({ ...part, given, [fc.toStringMethod]: () => part.kinds.join(', ') })),
)

test('a schema with a depth of its own is not overflown, and keeps nothing deeper; every valid value has a size', () => {
  const statistics = new Statistics('depth', [
    'bounded',
    'unbounded',
    'deep value accepted',
    'deep value refused',
    'sized',
  ])
  fc.assert(
    fc.property(deepCases, ({ schema, given }) => {
      const validator = new Validator(schema)
      statistics.count(validator.isBounded ? 'bounded' : 'unbounded')
      for (const [value, at] of given) {
        const parsed = outcome(() => validator.validate(value).data)
        if (typeof parsed === 'object' && isInert(parsed.value)) {
          expect(validator.sizeOf(parsed.value)).toBeGreaterThanOrEqual(0)
          statistics.count('sized')
        }
        if (!validator.isBounded) continue
        const deep = replaced(value, at, DEEP)
        const ours = outcome(() => schema.safeParse(deep).data ?? INVALID)
        expect(
          agrees(
            outcome(() => compileValidator(schema)?.(deep) ?? INVALID),
            ours,
            deep,
          ),
        ).toBe(true)
        statistics.count(`deep value ${typeof ours === 'object' ? 'accepted' : 'refused'}`)
        if (typeof ours === 'object') expect(depthOf(ours.value)).toBeLessThan(20)
      }
    }),
    { numRuns: 1000 },
  )
  statistics.report()
})

function show(said: Outcome): string {
  return typeof said === 'object' ? `gives ${written(said.value)}` : said
}

/** Some values throw when anything is read of them. */
function written(value: unknown): string {
  try {
    return fc.stringify(value)
  } catch {
    return 'that throws when it is written'
  }
}
