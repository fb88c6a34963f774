import fc from 'fast-check'
import {
  type ASTVisitor,
  buildSchema,
  OverlappingFieldsCanBeMergedRule,
  parse,
  type ValidationContext,
  validate,
} from 'graphql'
import { expect, test } from 'vitest'
import { MergeableFieldsRule } from '../../src/admission/mergeable-fields.ts'
import { Statistics } from '../kit/statistics.ts'

const SCHEMA = buildSchema(`
  interface Animal { name: String, weight(unit: String, by: Sort): Float, mother: Animal }
  input Sort { a: Int, b: Int }
  type Cat implements Animal { name: String, weight(unit: String, by: Sort): Float, mother: Animal, lives: Int!, toys: [Toy] }
  type Dog implements Animal { name: String, weight(unit: String, by: Sort): Float, mother: Animal, lives: Int, toys: Toy }
  type Toy { name: String!, owner: Pet }
  union Pet = Cat | Dog
  type Query { animal: Animal, pet: Pet, cat: Cat, dog: Dog }
`)
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  Query: ['animal', 'pet', 'cat', 'dog'],
  Animal: ['name', 'weight', 'mother'],
  Cat: ['name', 'weight', 'mother', 'lives', 'toys'],
  Dog: ['name', 'weight', 'mother', 'lives', 'toys'],
  Toy: ['name', 'owner'],
  Pet: [],
}
const INNER: Readonly<Record<string, string>> = {
  'Query.animal': 'Animal',
  'Query.pet': 'Pet',
  'Query.cat': 'Cat',
  'Query.dog': 'Dog',
  'Animal.mother': 'Animal',
  'Cat.mother': 'Animal',
  'Dog.mother': 'Animal',
  'Cat.toys': 'Toy',
  'Dog.toys': 'Toy',
  'Toy.owner': 'Pet',
}
const ARGUMENTS = ['', '(unit: "g")', '(unit: "kg")', '(by: {a: 1, b: 2})', '(by: {b: 2, a: 1})', '(by: {a: 2, b: 1})']
/** Few, so that fields often share a response name. */
const ALIASES = ['', '', '', 'a: ', 'name: ']
const CONDITIONS = ['Animal', 'Cat', 'Dog']
const FRAGMENTS = { F: 'Animal', G: 'Cat', H: 'Dog', I: 'Toy', J: 'Pet' } as const

/** Selections of a type, by numbers that choose. Fragments may contain themselves. */
function selections(type: string, choices: Iterator<number>, depth: number): string {
  const next = (count: number) => (choices.next().value ?? 0) % count
  const parts: string[] = []
  for (let count = 1 + next(4); count > 0; count--) {
    const fields = OF_TYPE[type] as readonly string[]
    const kind = next(8)
    if (kind < 5 && fields.length > 0) {
      const field = fields[next(fields.length)] as string
      const inner = INNER[`${type}.${field}`]
      if (inner && depth === 0) continue
      const args = field === 'weight' ? ARGUMENTS[next(ARGUMENTS.length)] : ''
      parts.push(`${ALIASES[next(ALIASES.length)]}${field}${args}${inner ? selections(inner, choices, depth - 1) : ''}`)
    } else if (kind === 5 && depth > 0 && !['Query', 'Toy'].includes(type)) {
      const condition = CONDITIONS[next(CONDITIONS.length)] as string
      parts.push(`... on ${condition} ${selections(condition, choices, depth - 1)}`)
    } else if (kind === 6 && depth > 0) {
      parts.push(`... ${selections(type, choices, depth - 1)}`)
    } else {
      const names = Object.keys(FRAGMENTS)
      parts.push(type === 'Query' ? '__typename' : `...${names[next(names.length)]}`)
    }
  }
  return `{ ${parts.length > 0 ? parts.join(' ') : '__typename'} }`
}

test('finds a conflict in just the documents in which the rule of graphql-js finds one', () => {
  const statistics = new Statistics('merging', [
    'valid',
    'different fields',
    'differing arguments',
    'conflicting types',
  ])
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 40, maxLength: 200 }), (numbers) => {
      const choices = numbers.values()
      const text = [
        `query ${selections('Query', choices, 4)}`,
        ...Object.entries(FRAGMENTS).map(
          ([name, type]) => `fragment ${name} on ${type} ${selections(type, choices, 2)}`,
        ),
      ].join('\n')
      const document = parse(text)
      const usesAll = (rule: (context: ValidationContext) => ASTVisitor) => validate(SCHEMA, document, [rule])
      // graphql-js also looks at fragments that no operation uses, which are an error for themselves.
      const used = parse(onlyUsed(text))
      const theirs = validate(SCHEMA, used, [OverlappingFieldsCanBeMergedRule])
      const ours = usesAll(MergeableFieldsRule)
      expect(ours.length > 0, `${text}\n${theirs[0]?.message}`).toBe(theirs.length > 0)
      statistics.count(
        /different fields|differing arguments|conflicting types/.exec(ours[0]?.message ?? '')?.[0] ?? 'valid',
      )
    }),
    { numRuns: 3_000 },
  )
  statistics.report()
})

/** The text without fragments that the operation does not reach. */
function onlyUsed(text: string): string {
  const [operation = '', ...fragments] = text.split('\n')
  const used = new Set<string>()
  const reach = (part: string): void => {
    for (const [, name = ''] of part.matchAll(/\.\.\.([F-J])/g)) {
      if (used.has(name)) continue
      used.add(name)
      reach(fragments.find((each) => each.startsWith(`fragment ${name} `)) ?? '')
    }
  }
  reach(operation)
  return [operation, ...fragments.filter((each) => used.has(each.charAt('fragment '.length)))].join('\n')
}

test('says which fields conflict and why, and where they stand', () => {
  const [error] = validate(SCHEMA, parse('{ cat { name } animal { ... on Cat { a: name a: lives } } }'), [
    MergeableFieldsRule,
  ])
  expect(error?.message).toMatch(/^Fields "a" conflict because "name" and "lives" are different fields\. Use different/)
  expect(error?.locations).toHaveLength(2)
})
