import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isStale } from '../../scripts/build.ts'

/** A folder with these files, each changed at its second. */
function folderOf(files: Readonly<Record<string, number>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-build-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, seconds] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), '')
    utimesSync(join(folder, name), seconds, seconds)
  }
  return folder
}

const part = { out: 'dist', sources: ['src/**/*', 'settings.json'] }

test.each([
  ['nothing is built', { 'src/a.ts': 1 }, true],
  [
    'a source is newer than one of the built files',
    { 'src/a.ts': 1, 'src/b/c.ts': 5, 'dist/a.js': 9, 'dist/b.js': 3 },
    true,
  ],
  ['what is named alone is newer', { 'src/a.ts': 1, 'settings.json': 5, 'dist/a.js': 3 }, true],
  [
    'all sources are older',
    { 'src/a.ts': 1, 'src/b/c.ts': 2, 'settings.json': 1, 'dist/a.js': 3, 'dist/b.js': 3 },
    false,
  ],
])('where %s, a part is stale: %o', (_what, files, stale) => {
  expect(isStale(part, folderOf(files))).toBe(stale)
})
