import {
  copyFile,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { InitError } from '../init-error.ts'

/** Files of a project by their paths in it, with `/`. */
export type Files = ReadonlyMap<string, string>

export interface Written {
  readonly written: readonly string[]
  /** Those that were there already, and have stayed. */
  readonly kept: readonly string[]
}

const TEMPORARY = '.sluice-init-'

/**
 * Writes files that are not there yet. All are written to a temporary folder first, and then linked to their places, which
 * never replaces a file. What fails leaves nothing behind. `replaced` is the one existing file that gets another text: it
 * was made of what it had.
 */
export async function writeProject(folder: string, files: Files, replaced: Files = new Map()): Promise<Written> {
  const made: string[] = []
  const placed: string[] = []
  let temporary: string | undefined
  try {
    await makeFolder(folder, made)
    temporary = await mkdtemp(join(folder, TEMPORARY))
    const kept: string[] = []
    const added: string[] = []
    for (const path of files.keys()) ((await exists(join(folder, path))) ? kept : added).push(path)
    for (const [path, text] of [...files, ...replaced]) await stage(join(temporary, path), text)
    for (const path of added) {
      await makeFolder(dirname(join(folder, path)), made)
      await place(join(temporary, path), join(folder, path))
      placed.push(path)
    }
    for (const path of replaced.keys()) await rename(join(temporary, path), join(folder, path))
    return { written: [...placed, ...replaced.keys()], kept }
  } catch (error) {
    for (const path of placed) await unlink(join(folder, path)).catch(() => {}) // somebody else has removed it
    throw asInitError(error, folder)
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
    if (placed.length === 0 || !(await exists(join(folder, placed[0] as string)))) await removeEmpty(made)
  }
}

/** Of a link that leads nowhere, too. */
async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}

/** The folders that were made are added to `made`, outer ones first. */
async function makeFolder(folder: string, made: string[]): Promise<void> {
  const missing: string[] = []
  let at = folder
  for (; !(await isFolder(at)); at = dirname(at)) missing.unshift(at)
  for (const each of missing) {
    await mkdir(each)
    made.push(each)
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  throw new InitError(`"${path}" is a file, where a folder is needed`)
}

async function stage(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text, { flag: 'wx' })
}

/** Neither a link nor an exclusive copy replaces what is there; some file systems have no links. */
async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    await copyFile(from, to, 1) // COPYFILE_EXCL
  }
}

async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders.toReversed()) {
    const isEmpty = await readdir(folder).then(
      (names) => names.length === 0,
      () => false,
    )
    if (isEmpty) await rmdir(folder).catch(() => {}) // it is no longer empty
  }
}

function asInitError(error: unknown, folder: string): Error {
  if (error instanceof InitError) return error
  const { code, path, dest } = error as NodeJS.ErrnoException & { dest?: string }
  if (code === undefined) return error as Error
  const place =
    relative(folder, dest ?? path ?? folder)
      .split(sep)
      .join('/') || folder
  return new InitError(`"${place}" cannot be written (${code}): nothing was`, { cause: error })
}
