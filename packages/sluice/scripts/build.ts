/**
 * Builds the library into `dist`: ES modules and their types, file by file, of what its entries reach in `src`. The
 * orders application, which nothing of them reaches, stays outside. `node packages/sluice/scripts/build.ts [FOLDER]`
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ROOT = join(PACKAGE, '../..')
const CONFIG = join(PACKAGE, 'tsconfig.build.json')

/** Folders of pages beside the modules, by the names that `src/assets.ts` has for them, and what they are built into. */
const ASSETS = { graphiql: 'packages/graphiql/dist' }

/** @throws Error with the compiler's words, or where a page is not built yet. */
export async function buildLibrary(place = join(PACKAGE, 'dist')): Promise<void> {
  // At its place when it is whole: others may be reading what was there.
  const dist = `${place}.${process.pid}`
  try {
    await compile(dist)
    await rm(place, { recursive: true, force: true })
    await rename(dist, place)
  } finally {
    await rm(dist, { recursive: true, force: true })
  }
}

async function compile(dist: string): Promise<void> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  await mkdir(dist, { recursive: true })
  await promisify(execFile)(process.execPath, [tsc, '--project', CONFIG, '--outDir', dist]).catch(
    ({ stdout, message }) => {
      throw new Error(`The library does not compile:\n${stdout || message}`)
    },
  )
  const built = await readdir(dist, { recursive: true })
  for (const name of built.filter((each) => each.endsWith('.d.ts'))) await nameBuiltFiles(join(dist, name))
  for (const entry of ['index.d.ts', 'testing.d.ts']) await nameNodeTypes(join(dist, entry))
  await copyTexts(dist, new Set(built))
  for (const [name, folder] of Object.entries(ASSETS)) {
    await cp(join(ROOT, folder), join(dist, 'assets', name), { recursive: true }).catch((error: Error) => {
      throw new Error(`The package has no ${name}: build it first, by \`npm run build\``, { cause: error })
    })
  }
}

/** Declarations keep the names of sources in their imports, which a consumer's compiler does not follow. */
async function nameBuiltFiles(file: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace(/((?:from|import|import\()\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'))
}

/** Declarations have types of Node's, such as Buffer, which a consumer's settings need not include. */
async function nameNodeTypes(file: string): Promise<void> {
  await writeFile(file, `/// <reference types="node" />\n${await readFile(file, 'utf8')}`)
}

/** What lies beside the modules and is no source: templates, pages. It keeps its place. */
async function copyTexts(dist: string, folders: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(join(ROOT, 'src'), { recursive: true, withFileTypes: true })) {
    const folder = name.parentPath.slice(join(ROOT, 'src').length + 1)
    if (!name.isFile() || name.name.endsWith('.ts') || (folder !== '' && !folders.has(folder))) continue
    await cp(join(name.parentPath, name.name), join(dist, folder, name.name))
  }
}

if (import.meta.main) await buildLibrary(process.argv[2])
