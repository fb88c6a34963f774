import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { manifest, outputOf, writeFiles } from './packed-client.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const QUIET = ['--no-audit', '--no-fund', '--no-update-notifier']

/**
 * A project of somebody else in the cache folder: its dependencies come from the registry by npm, once for all runs, and
 * the packed client, as it is now, by npm as well.
 */
export async function installedProject(
  archive: string,
  name: string,
  dependencies: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string | object>>,
): Promise<string> {
  const own = { name, version: '1.0.0', private: true, type: 'module', dependencies }
  const hash = createHash('sha256').update(JSON.stringify(own)).digest('hex').slice(0, 12)
  const folder = join(process.env.SLUICE_CACHE || join(ROOT, '.cache'), 'client-projects', `${name}-${hash}`)
  if (!existsSync(folder)) {
    const partial = `${folder}.${process.pid}`
    mkdirSync(partial, { recursive: true })
    writeFiles(partial, { 'package.json': own })
    await npm(partial, 'install', ...QUIET)
    renameSync(partial, folder)
  }
  const installed = join(archive, folder)
  if (!upToDate.has(installed)) await installClient(folder, archive)
  upToDate.add(installed)
  writeFiles(folder, files)
  return folder
}

/** Projects that have the archive of this run. */
const upToDate = new Set<string>()

async function installClient(folder: string, archive: string): Promise<void> {
  rmSync(join(folder, 'node_modules', manifest.name), { recursive: true, force: true })
  await npm(folder, 'install', '--no-save', '--no-package-lock', '--prefer-offline', ...QUIET, archive)
}

async function npm(folder: string, ...args: string[]): Promise<void> {
  const { code, text } = await outputOf(folder, 'npm', ...args)
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${text}`)
}
