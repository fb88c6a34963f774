import type { IncomingMessage, ServerResponse } from 'node:http'
import { SluiceError } from '../../errors/codes.ts'
import { type AnswerResponse, sendBody } from '../../transport/answer-body.ts'
import type { AnswerBudget } from '../../transport/answer-budget.ts'
import { MethodNotAllowed } from '../method-not-allowed.ts'
import { type PageFile, readFolder } from './folder.ts'

/** A year, which is what such files are cached for. */
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** Asked for each time, and answered with 304 if it is the same. */
const CHECKED = 'no-cache'

export interface PageOptions {
  /** What it is called where it is missing. */
  readonly name: string
  readonly folder: string
  /** Of the documents of the page. */
  readonly policy: string
  readonly answers: AnswerBudget
}

/** A built page. Its files are read at the first request: most instances are asked for none. */
export class Page {
  readonly #options: PageOptions
  #files: Promise<ReadonlyMap<string, PageFile>> | undefined

  constructor(options: PageOptions) {
    this.#options = options
  }

  /** Undefined: the page has no such file. @throws SluiceError `NOT_FOUND` where it is not built. */
  async find(path: string): Promise<PageFile | undefined> {
    this.#files ??= readFolder(this.#options.folder)
    try {
      return (await this.#files).get(path)
    } catch (error) {
      this.#files = undefined
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new SluiceError('NOT_FOUND', `${this.#options.name} is not built: run "npm run build" and try again`)
    }
  }

  /** @throws MethodNotAllowed; SluiceError `TOO_MANY_ANSWERS` */
  answer(request: IncomingMessage, response: ServerResponse, file: PageFile): void {
    const { method = '', headers } = request
    if (method !== 'GET' && method !== 'HEAD') throw new MethodNotAllowed('GET, HEAD', `A page takes no ${method}`)
    const { type, etag, isHashed, plain, gzipped } = file
    const always = {
      etag,
      'cache-control': isHashed ? IMMUTABLE : CHECKED,
      vary: varyOf(response),
      // Also of a 304: its headers replace those of the cached document, and the server's own policy lets nothing run.
      ...(type.startsWith('text/html') && { 'content-security-policy': this.#options.policy }),
    }
    if (isSame(headers['if-none-match'], etag)) {
      response.writeHead(304, always).end()
      return
    }
    const isGzipped = (response as AnswerResponse).codings?.prefersGzip === true
    const body = isGzipped ? gzipped : plain
    this.#options.answers.demandSpare(body.length)
    const own = { 'content-type': type, ...(isGzipped && { 'content-encoding': 'gzip' }) }
    sendBody(response, 200, { ...always, ...own }, body)
  }
}

/** RFC 9110 section 13.1.2: a list of weak or strong tags, or `*`. */
function isSame(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false
  return given.split(',').some((tag) => ['*', etag, etag.slice(2)].includes(tag.trim()))
}

/** What the server has set: a list with the coding, and the origin where that matters. */
function varyOf(response: ServerResponse): string {
  const set = String(response.getHeader('vary') ?? '')
  return /accept-encoding/i.test(set) ? set : [set, 'Accept-Encoding'].filter(Boolean).join(', ')
}
