/**
 * `npm run build`: the pages that the gateway serves, the client's package, and the library's. Each is built if its
 * sources are there. `--stale` builds only what is missing, or older than what it is made of. `--prepare`, which `npm ci` runs, does nothing
 * where the tools are not installed (`--omit=dev`).
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'

interface Part {
  readonly name: string
  /** It is built if this is there. */
  readonly config: string
  readonly out: string
  /** What it is made of. */
  readonly sources: readonly string[]
  readonly build: () => Promise<void>
}

const root = join(import.meta.dirname, '..')
const CLIENT_SOURCES = 'packages/client/src/**/*.{ts,tsx}'

const pageOf = (name: string, folder: string): Part => ({
  name,
  config: `${folder}/vite.config.ts`,
  out: `${folder}/dist`,
  sources: [`${folder}/{src,public}/**/*`, `${folder}/*.{html,ts,json}`, CLIENT_SOURCES, 'package-lock.json'],
  build: () => buildPage(folder),
})

const PARTS: readonly Part[] = [
  pageOf('the Live Map', 'web'),
  pageOf('GraphiQL', 'packages/graphiql'),
  {
    name: 'the client',
    config: 'packages/client/scripts/build.ts',
    out: 'packages/client/dist',
    sources: [CLIENT_SOURCES, 'packages/client/scripts/*', 'packages/client/package.json'],
    build: () => runScript('packages/client/scripts/build.ts'),
  },
  {
    name: 'the library',
    // Not so in a folder with the pages only, such as a stage of the image.
    config: 'src/index.ts',
    out: 'packages/sluice/dist',
    sources: ['src/**/*', 'packages/graphiql/dist/**/*', 'packages/sluice/{scripts/*,*.json}'],
    build: () => runScript('packages/sluice/scripts/build.ts'),
  },
]

async function buildPage(folder: string): Promise<void> {
  const { build } = await import('vite')
  await build({ configFile: join(root, folder, 'vite.config.ts'), root: join(root, folder) })
  compress(join(root, folder, 'dist'))
}

/** Smaller files are a packet anyway. */
const MIN_BYTES = 1_024
const TEXT = /\.(css|html|js|json|svg|txt|webmanifest)$/

/** Compressed files beside the plain ones: once, and better than a server would at each start. */
function compress(folder: string): void {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, path)
    if (!TEXT.test(path) || statSync(file).size < MIN_BYTES) continue
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: constants.Z_BEST_COMPRESSION }))
  }
}

async function runScript(script: string): Promise<void> {
  const { status } = spawnSync(process.execPath, [script], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${script} has failed`)
}

/** Whether something that a part is made of is newer than it. */
export function isStale({ out, sources }: Pick<Part, 'out' | 'sources'>, cwd = root): boolean {
  const built = timeOf(cwd, [`${out}/**/*`], Math.min)
  return built === undefined || built < (timeOf(cwd, sources, Math.max) ?? 0)
}

type Choice = (a: number, b: number) => number

function timeOf(cwd: string, patterns: readonly string[], pick: Choice): number | undefined {
  const exclude = (path: string) => path.includes('node_modules')
  const times = globSync([...patterns], { cwd, exclude }).flatMap((path) => {
    // Another run may be building.
    const stats = statSync(join(cwd, path), { throwIfNoEntry: false })
    return stats?.isFile() ? stats.mtimeMs : []
  })
  return times.length === 0 ? undefined : times.reduce((a, b) => pick(a, b))
}

function hasTools(): boolean {
  try {
    createRequire(import.meta.url).resolve('vite')
    return true
  } catch {
    return false
  }
}

/** Whether the built library is what the sources say. */
export function isLibraryFresh(): boolean {
  return !PARTS.some((part) => part.out === 'packages/sluice/dist' && isStale(part))
}

/** @returns the names of what was built. */
export async function buildAll({ stale = false } = {}): Promise<string[]> {
  const built: string[] = []
  for (const part of PARTS) {
    if (!existsSync(join(root, part.config)) || (stale && !isStale(part))) continue
    const start = performance.now()
    await part.build()
    console.log(`Built ${part.name} in ${((performance.now() - start) / 1000).toFixed(1)} s`)
    built.push(part.name)
  }
  return built
}

if (import.meta.main) {
  if (process.argv.includes('--prepare') && !hasTools()) {
    console.log('The pages are not built: vite is not installed (--omit=dev)')
  } else await buildAll({ stale: process.argv.includes('--stale') })
}
