import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { type Row, readMutant, runMutants } from '../../scripts/mutants.ts'

const header = (test: string) => `promise: 1\nbreaks: sums come out wrong\ntest: ${test}\n\n`
const diff = (from: string, to: string) =>
  `diff --git a/src/sum.ts b/src/sum.ts\n--- a/src/sum.ts\n+++ b/src/sum.ts\n@@ -1 +1 @@\n-${from}\n+${to}\n`

const SUM = 'export const sum = (a: number, b: number) => a + b'
const minus = diff(SUM, SUM.replace('a + b', 'a - b'))

/** A project of one function and two tests, one of which looks at nothing. */
const toy: Record<string, string> = {
  '.gitignore': 'node_modules\n',
  'src/sum.ts': `${SUM}\n`,
  'test/sum.test.ts': `import { expect, test } from 'vitest'
import { sum } from '../src/sum.ts'
test('adds', () => expect(sum(1, 2)).toBe(3))
test('is there', () => expect(sum).toBeDefined())
`,
  'test/red.test.ts': `import { expect, test } from 'vitest'\ntest('red', () => expect(1).toBe(2))\n`,
  'mutants/1-minus.patch': header('test/sum.test.ts -t adds') + minus,
  'mutants/1-unnoticed.patch': header('test/sum.test.ts -t "is there"') + minus,
  'mutants/1-old.patch': header('test/sum.test.ts -t adds') + diff('export const sum = () => 0', SUM),
  'mutants/1-syntax.patch': header('test/sum.test.ts -t adds') + diff(SUM, 'export const sum = ('),
  'mutants/1-nowhere.patch': header('test/sum.test.ts -t subtracts') + minus,
  'mutants/1-red.patch': header('test/red.test.ts') + minus,
  'mutants/1-headless.patch': minus,
}

test('a mutant counts as killed only when a named test, green without it, fails by it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'toy-'))
  try {
    for (const [path, text] of Object.entries(toy)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
    execFileSync('git', ['init', '-q'], { cwd: root })

    const said: string[] = []
    const results = (rows: Row[]) => Object.fromEntries(rows.map((row) => [row.name, row.result]))
    expect(results(await runMutants(root, '', (line) => said.push(line)))).toEqual({
      '1-minus': 'killed',
      '1-unnoticed': 'survived',
      '1-old': 'does not apply',
      '1-syntax': 'broke the run',
      '1-nowhere': 'tests failed unbroken',
      '1-red': 'tests failed unbroken',
      '1-headless': 'unreadable',
    })
    expect(said.join('\n')).toMatch(/1-minus +1 {2}killed/)
    expect(readFileSync(join(root, 'src/sum.ts'), 'utf8')).toBe(`${SUM}\n`)
    expect(results(await runMutants(root, 'minus', () => {}))).toEqual({ '1-minus': 'killed' })
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('a header names a promise, a break and the tests', () => {
  const patch = 'promise: 2\nbreaks: silence\ntest: test/a.test.ts, test/b.test.ts -t "a gap"\n\ndiff --git a/x b/x\n'
  expect(readMutant('2-silent-gap', patch)).toEqual({
    name: '2-silent-gap',
    promise: 2,
    breaks: 'silence',
    test: ['test/a.test.ts', 'test/b.test.ts', '-t', 'a gap'],
  })
  expect(() => readMutant('3-silent-gap', patch)).toThrow('its name should begin with 2-')
  expect(() => readMutant('9-x', patch.replace('2', '9'))).toThrow('none of 1 to 7')
  expect(() => readMutant('2-x', patch.replace('breaks', 'brakes'))).toThrow('no line "breaks: ..."')
})
