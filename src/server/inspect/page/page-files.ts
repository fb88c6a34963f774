import { readFile } from 'node:fs/promises'
import { PAGE_POLICY } from '../../security-headers.ts'

/** By the name in the URL, the type of each file of the page: nothing else of this folder is served. */
const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'inspect.css': 'text/css; charset=utf-8',
  'main.js': 'text/javascript; charset=utf-8',
  'sections.js': 'text/javascript; charset=utf-8',
  'table.js': 'text/javascript; charset=utf-8',
  'text.js': 'text/javascript; charset=utf-8',
}
const INDEX = 'index.html'
/** Where the page is. Its files are below it. */
export const PAGE_PATH = '/inspect'

export interface PageFile {
  readonly type: string
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Files that were read: all of them are some kilobytes. */
const read = new Map<string, Promise<Buffer>>()

/** The file at a path of the admin port; undefined: there is none. It runs scripts and styles of its own, and no others. */
export async function pageFile(path: string): Promise<PageFile | undefined> {
  if (path !== PAGE_PATH && !path.startsWith(`${PAGE_PATH}/`)) return undefined
  const name = path.slice(PAGE_PATH.length + 1) || INDEX
  const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined
  if (type === undefined) return undefined
  let body = read.get(name)
  if (!body) {
    body = readFile(new URL(name, import.meta.url))
    read.set(name, body)
    body.catch(() => read.delete(name))
  }
  return {
    type,
    body: await body,
    headers: {
      'content-security-policy': PAGE_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    },
  }
}
