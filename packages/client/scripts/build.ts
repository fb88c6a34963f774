/**
 * Builds the client package into `dist`: ES modules and CommonJS, each with its types, file by file, so that bundlers
 * leave out what is not used. `node packages/client/scripts/build.ts [FOLDER]`
 */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const CONFIG = join(PACKAGE, 'tsconfig.build.json')

/** What each kind of module is compiled with, and what tells Node its kind: the package's own type is `module`. */
const KINDS = [
  { folder: 'esm', type: 'module', options: [] },
  {
    folder: 'cjs',
    type: 'commonjs',
    options: ['--module', 'commonjs', '--moduleResolution', 'bundler', '--verbatimModuleSyntax', 'false'],
  },
]

/** @throws Error with the compiler's words */
export async function buildClient(dist = join(PACKAGE, 'dist')): Promise<void> {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  await rm(dist, { recursive: true, force: true })
  for (const { folder, type, options } of KINDS) {
    const out = join(dist, folder)
    await mkdir(out, { recursive: true })
    const compile = [tsc, '--project', CONFIG, '--outDir', out, ...options]
    await promisify(execFile)(process.execPath, compile).catch(({ stdout, message }) => {
      throw new Error(`The client does not compile:\n${stdout || message}`)
    })
    await writeFile(join(out, 'package.json'), `${JSON.stringify({ type, sideEffects: false })}\n`)
    await nameBuiltFiles(out)
  }
}

/** Declarations keep the names of sources in their imports, which older compilers do not follow. */
async function nameBuiltFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue
    const text = await readFile(join(folder, name), 'utf8')
    await writeFile(join(folder, name), text.replace(/((?:from|import\()\s*['"]\.[^'"]*)\.tsx?(['"])/g, '$1.js$2'))
  }
}

if (import.meta.main) await buildClient(process.argv[2])
