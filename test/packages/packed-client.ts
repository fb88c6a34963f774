import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll } from 'vitest'
import { buildClient } from '../../packages/client/scripts/build.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGE = join(ROOT, 'packages/client')

export interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | Record<'import' | 'require', { types: string; default: string }>>>
  readonly dependencies?: object
  readonly peerDependencies: Readonly<Record<string, string>>
}

export const manifest: Manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))

/** The ways into the package, by the names that are imported: those that have a source. */
export const entries: string[] = Object.keys(manifest.exports)
  .filter((name) => name !== './package.json')
  .filter((name) => existsSync(join(PACKAGE, 'src', `${name === '.' ? 'index' : name.slice(2)}.ts`)))
  .map((name) => manifest.name + name.slice(1))

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-client-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The client package as `npm pack` makes it, built for this. @returns the path of the archive */
export async function packClient(): Promise<string> {
  const folder = temporaryFolder()
  const copy = join(folder, 'client')
  await buildClient(join(copy, 'dist'))
  for (const file of ['package.json', 'README.md', 'LICENSE']) cpSync(join(PACKAGE, file), join(copy, file))
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: copy,
  })
  const [packed] = Object.values(JSON.parse(stdout)) as { filename: string }[]
  return join(folder, packed!.filename)
}

/**
 * A project with the packed client installed, without a registry: its peers, and what else it names, are those of this
 * repository.
 */
export async function projectWith(
  archive: string,
  files: Readonly<Record<string, string | object>>,
  packages: readonly string[] = [],
): Promise<string> {
  const folder = temporaryFolder()
  const installed = join(folder, 'node_modules', manifest.name)
  mkdirSync(installed, { recursive: true })
  await run('tar', ['--extract', '--gzip', '--file', archive, '--strip-components', '1', '--directory', installed])
  for (const name of [...Object.keys(manifest.peerDependencies), ...packages]) {
    const place = join(folder, 'node_modules', name)
    if (!existsSync(join(ROOT, 'node_modules', name)) || existsSync(place)) continue
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), place)
  }
  writeFiles(folder, files)
  return folder
}

export function writeFiles(folder: string, files: Readonly<Record<string, string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  }
}

/** Runs a program in a folder. @returns what it printed, whether it failed or not */
export async function outputOf(
  cwd: string,
  program: string,
  ...args: string[]
): Promise<{ code: number; text: string }> {
  try {
    const { stdout, stderr } = await run(program, args, { cwd, maxBuffer: 2 ** 26, timeout: 540_000 })
    return { code: 0, text: stdout + stderr }
  } catch (error) {
    const {
      code,
      stdout = '',
      stderr = '',
      message,
    } = error as Error & { code?: number; stdout?: string; stderr?: string }
    return { code: typeof code === 'number' ? code : 1, text: stdout + stderr || message }
  }
}
