import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { verdict } from '../../scripts/test.ts'
import type { Outcome } from '../../scripts/vitest.ts'

const outcome = (parts: Partial<Outcome> = {}): Outcome => ({
  code: 0,
  passed: 3,
  failed: 0,
  skipped: [],
  broken: [],
  output: '',
  ...parts,
})
const here = { ci: false, chosen: false }
const onCi = { ci: true, chosen: false }
const skipped = ['test/kafka.test.ts > a real broker > keeps order']

test('the last line is the totals alone', () => {
  expect(verdict(outcome({ skipped }), here).lines.at(-1)).toBe('3 passed, 0 failed, 1 skipped')
})

test('a failed test fails the run', () => {
  expect(verdict(outcome({ failed: 1, code: 1 }), here)).toEqual({ lines: ['3 passed, 1 failed, 0 skipped'], code: 1 })
})

test('a skipped test is named, and fails the run only with CI set', () => {
  expect(verdict(outcome({ skipped }), here).code).toBe(0)
  const failing = verdict(outcome({ skipped }), onCi)
  expect(failing.code).toBe(1)
  expect(failing.lines).toContain(`  ${skipped[0]}`)
})

test('tests left out by -t fail no run', () => {
  expect(verdict(outcome({ skipped }), { ci: true, chosen: true }).code).toBe(0)
})

test('a file that did not load counts as a failed test, and is named', () => {
  expect(verdict(outcome({ broken: ['test/cursor.test.ts'], code: 1 }), here)).toEqual({
    lines: ['Did not run: test/cursor.test.ts', '3 passed, 1 failed, 0 skipped'],
    code: 1,
  })
})

test('a run in which no test ran fails', () => {
  expect(verdict(outcome({ passed: 0 }), here)).toEqual({
    lines: ['No test ran', '0 passed, 0 failed, 0 skipped'],
    code: 1,
  })
  expect(verdict(outcome({ passed: 0, skipped }), here).code).toBe(1)
})

test('an error outside of every test fails the run, whatever the totals', () => {
  expect(verdict(outcome({ code: 1 }), here).code).toBe(1)
  expect(verdict(outcome({ code: null }), here).code).toBe(1)
})

test('a real run ends with its totals: skipped suites named, a file that does not load counted', () => {
  const root = mkdtempSync(join(tmpdir(), 'totals-'))
  try {
    mkdirSync(join(root, 'test'))
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'))
    writeFileSync(join(root, 'test/unloadable.test.ts'), `import './nowhere.ts'\n`)
    writeFileSync(
      join(root, 'test/mixed.test.ts'),
      `import { beforeAll, describe, expect, test } from 'vitest'
test('good', () => {})
test('bad', () => expect(1).toBe(2))
test('without its part', (context) => context.skip('no broker'))
describe.skip('a broker', () => void test('keeps order', () => {}))
describe('set-up', () => {
  beforeAll(() => Promise.reject(new Error('no port')))
  test('never starts', () => {})
})
`,
    )
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [resolve('scripts/test.ts'), ...args], { cwd: root, encoding: 'utf8' })

    const all = run()
    expect(all.status).toBe(1)
    expect(all.stdout.trimEnd().split('\n').slice(-6)).toEqual([
      'Did not run: test/unloadable.test.ts',
      expect.stringMatching(/^Skipped/),
      '  test/mixed.test.ts > without its part',
      '  test/mixed.test.ts > a broker > keeps order',
      '  test/mixed.test.ts > set-up > never starts',
      '1 passed, 2 failed, 3 skipped',
    ])
    expect(run('-t', 'good', 'mixed')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/\n1 passed, 0 failed, 4 skipped\n$/),
    })
    expect(run('no-such-file')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/\nNo test ran\n0 passed, 0 failed, 0 skipped\n$/),
    })
  } finally {
    rmSync(root, { recursive: true })
  }
})
