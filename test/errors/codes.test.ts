import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERRORS } from '../../src/errors/codes.ts'

const doc = readFileSync('docs/errors.md', 'utf8')
const rows = [...doc.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| (.+?) \| (.+?) \|$/gm)]

test('docs/errors.md has every code, once, with its status, what it means and what to do', () => {
  const documented = rows.map(([, code, status]) => [code, Number(status)])
  const inCode = Object.entries(ERRORS).map(([code, { status }]) => [code, status])
  expect(documented.sort()).toEqual(inCode.sort())
})

test('messages begin with a capital or what they quote, and have no full stop at their end', () => {
  for (const { message } of Object.values(ERRORS)) expect(message).toMatch(/^["A-Z].*[^.]$/)
})
