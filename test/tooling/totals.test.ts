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
