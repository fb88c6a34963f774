import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync('docs/guarantees.md', 'utf8')

/** A test's file, and what its title begins with or holds: `` `test/a.test.ts` "title" ``. */
const named = [...page.matchAll(/`(test\/[\w./-]+\.ts)`(?: "([^"]+)")?/g)].map(([, file = '', title]) => ({
  file,
  title,
}))

test('docs/guarantees.md names tests for what it says', () => {
  expect(named.length).toBeGreaterThan(20)
})

test.each(named)('$file has "$title"', ({ file, title }) => {
  expect(globSync(file)).toEqual([file])
  if (title !== undefined) expect(readFileSync(file, 'utf8')).toContain(title)
})
