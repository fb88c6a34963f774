import { hash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** A file of a built page, in memory. */
export interface PageFile {
  readonly type: string
  readonly etag: string
  readonly plain: Buffer
  readonly gzipped: Buffer
  /** Its name has a hash of its content: it never changes. */
  readonly isHashed: boolean
}

/** What a page may be made of. Other files, such as source maps, are not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}
/** A page is some megabytes in some dozens of files, all of which are kept in memory. More is a mistake. */
const MAX_FILES = 1_000
const MAX_BYTES = 32 * 1024 * 1024
/** Vite's names: `assets/index-B3a9_x2Q.js`. */
const HASHED = /^assets\/.+-[\w-]{8,}\.\w+$/

/**
 * The files of a built page by their paths within the folder, with `/`. A request is looked up among these, so that no
 * path leads out of the folder. The build writes compressed files beside the plain ones; where it has not, they are
 * compressed here.
 * @throws Error for a folder that is too large, and Node's own where it cannot be read.
 */
export async function readFolder(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  if (paths.length > MAX_FILES) throw new Error(`The folder ${folder} has more than ${MAX_FILES} files`)
  const files = new Map<string, PageFile>()
  let bytes = 0
  for (const path of paths) {
    const type = TYPES[extname(path)]
    if (type === undefined) continue
    const plain = await readFile(join(folder, path))
    const gzipped = paths.includes(`${path}.gz`)
      ? await readFile(join(folder, `${path}.gz`))
      : await promisify(gzip)(plain)
    bytes += plain.length + gzipped.length
    if (bytes > MAX_BYTES) throw new Error(`The folder ${folder} has more than ${MAX_BYTES} bytes`)
    const name = path.split(sep).join('/')
    files.set(name, fileOf(plain, { type, gzipped, isHashed: HASHED.test(name) }))
  }
  return files
}

/** A file that is made, and not read. */
export function fileOf(plain: Buffer, parts: Omit<PageFile, 'plain' | 'etag'>): PageFile {
  // Weak: the same for both codings.
  return { ...parts, plain, etag: `W/"${hash('sha256', plain, 'base64url').slice(0, 22)}"` }
}
