import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildLibrary } from '../../packages/sluice/scripts/build.ts'
import { isLibraryFresh } from '../../scripts/build.ts'
import { temporaryFolder, writeFiles } from './packed-client.ts'

const run = promisify(execFile)
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGE = join(ROOT, 'packages/sluice')

export interface LibraryManifest {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
  readonly engines: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>
}

export const manifest: LibraryManifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))

/** The library as `npm pack` makes it, of the sources as they are now. @returns the path of the archive */
export async function packLibrary(): Promise<string> {
  const folder = temporaryFolder()
  const copy = join(folder, 'sluice')
  if (isLibraryFresh()) cpSync(join(PACKAGE, 'dist'), join(copy, 'dist'), { recursive: true })
  else await buildLibrary(join(copy, 'dist'))
  for (const file of ['package.json', 'README.md', 'LICENSE', 'bin'])
    cpSync(join(PACKAGE, file), join(copy, file), { recursive: true })
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: copy,
  })
  const [packed] = Object.values(JSON.parse(stdout)) as { filename: string }[]
  return join(folder, packed!.filename)
}

/**
 * A project with the packed library, without a registry: what it depends on, its peers, and what else is named, are
 * those of this repository.
 */
export async function projectOf(
  archive: string,
  files: Readonly<Record<string, string | object>>,
  packages: readonly string[] = [],
): Promise<string> {
  const folder = temporaryFolder()
  const installed = join(folder, 'node_modules/sluice')
  mkdirSync(installed, { recursive: true })
  await run('tar', ['--extract', '--gzip', '--file', archive, '--strip-components', '1', '--directory', installed])
  const { dependencies, peerDependencies } = manifest
  for (const name of new Set([...Object.keys({ ...dependencies, ...peerDependencies }), ...packages])) {
    const place = join(folder, 'node_modules', name)
    if (existsSync(place)) continue
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), place)
  }
  writeFiles(folder, { 'package.json': { name: 'app', type: 'module' }, ...files })
  return folder
}
