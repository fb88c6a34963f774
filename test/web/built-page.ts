import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'
import { afterAll, beforeAll } from 'vitest'

export interface BuiltPage {
  readonly folder: string
}

/** The page as `npm run build` makes it, in a folder of this file's own. */
export function describeBuiltPage(): BuiltPage {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-web-'))
    await build({
      configFile: 'web/vite.config.ts',
      build: { outDir: folder, emptyOutDir: true },
      logLevel: 'warn',
    })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return {
    get folder() {
      return folder
    },
  }
}
