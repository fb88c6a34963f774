import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { Statistics } from '../../kit/statistics.ts'
import { type GeneratedTopic, generatedTopics, MARK } from './generated.ts'
import { ownTests, typeErrors, type WrittenProject, writtenProject } from './generated-project.ts'

const SHAPES = 30

interface Options {
  /** Projects of thirty topics each. */
  readonly projects: number
  /** Of each project, how many of its tests are run. */
  readonly tests: number
}

/** A topic's definition, as the project has it. */
interface Defined {
  readonly name: string
  readonly codec: (bytes: Buffer, record: object) => unknown
  readonly validator: { validate(value: unknown): { readonly success: boolean; readonly error?: unknown } }
}

const CASES = [
  'records',
  'tombstones',
  'z.enum',
  'z.discriminatedUnion',
  'z.record',
  'z.array',
  'z.unknown',
  'epochSeconds',
  'epochMilliseconds',
  'epochMicroseconds',
  'decimalNumber',
  'z.iso.datetime',
  'z.iso.date',
  'z.int()',
  'optional()',
  'nullable()',
  'index:',
  'ordered:',
  'withKey',
  'In the record:',
  "type: 'JSON'",
  'nullable: { list',
  'objectRef<{ value',
  'own tests',
] // prettier-ignore

/** What `init` writes of thirty shapes compiles, decodes the records it was made from, and has nothing of their values. */
export async function checkShapes({ projects, tests }: Options): Promise<void> {
  const statistics = new Statistics('Shapes', CASES)
  const property = fc.asyncProperty(generatedTopics(SHAPES), async (all) => {
    const project = await writtenProject(all)
    try {
      expect(await typeErrors(project.folder)).toBe('')
      await expectDecoded(project, all, statistics)
      expectNoValues(project, all)
      await expectOwnTests(project, tests, statistics)
      countCases(project, statistics)
    } finally {
      if (!process.env.INIT_SEED) rmSync(project.folder, { recursive: true, force: true })
    }
  })
  // A smaller counterexample would be searched for minutes.
  await fc.assert(property, {
    numRuns: projects,
    endOnFailure: true,
    ...(process.env.INIT_SEED && { seed: Number(process.env.INIT_SEED) }),
    verbose: fc.VerbosityLevel.None,
  })
  statistics.report()
}

/** The schema is built, and every record that has a value is an event. */
async function expectDecoded({ folder }: WrittenProject, all: readonly GeneratedTopic[], statistics: Statistics) {
  const { default: gateway } = await import(/* @vite-ignore */ join(folder, 'gateway.ts'))
  expect(gateway.topics).toHaveLength(SHAPES)
  const defined = new Map<string, Defined>(gateway.topics.map((topic: Defined) => [topic.name, topic]))
  for (const { name, records } of all) {
    const { codec, validator } = defined.get(name) as Defined
    for (const { key, value } of records) {
      statistics.count(value === null ? 'tombstones' : 'records')
      if (value === null) continue
      const decoded = codec(Buffer.from(JSON.stringify(value)), {
        key,
        headers: {},
        partition: 0,
        offset: 0,
        timestamp: 0,
      })
      const result = validator.validate(decoded)
      if (!result.success) expect.fail(`${name}: ${result.error}\n${JSON.stringify(value)}`)
    }
  }
}

/** Numbers of fewer digits are anybody's. */
const NUMBER = /\d{6,}/g

function expectNoValues({ files }: WrittenProject, all: readonly GeneratedTopic[]): void {
  const numbers = new Set(JSON.stringify(all.map(({ records }) => records)).match(NUMBER))
  for (const [path, text] of files) {
    expect(text.includes(MARK), `${path} has text of a record`).toBe(false)
    if (!/^(topics\/(?!values)|schema\/|test\/|client\/)/.test(path)) continue
    const names = JSON.stringify(all.map(({ name, spec }) => [name, spec]))
    const found = (text.match(NUMBER) ?? []).filter((number) => numbers.has(number) && !names.includes(number))
    expect(found, `${path} has a number of a record`).toEqual([])
  }
}

async function expectOwnTests({ folder, files }: WrittenProject, count: number, statistics: Statistics): Promise<void> {
  // Those with most in them.
  const own = [...files].filter(([path]) => path.startsWith('test/')).sort(([, a], [, b]) => b.length - a.length)
  const paths = own.slice(0, count).map(([path]) => path)
  const output = await ownTests(folder, ...paths)
  expect(output).toMatch(new RegExp(`^# pass ${paths.length}$`, 'm'))
  statistics.count('own tests', paths.length)
}

function countCases({ files }: WrittenProject, statistics: Statistics): void {
  const text = [...files].filter(([path]) => /^(?:topics\/(?!values)|schema)/.test(path)).map(([, each]) => each).join() // biome-ignore format: one line
  for (const name of CASES.slice(2, -1)) statistics.count(name, text.split(name).length - 1)
}
