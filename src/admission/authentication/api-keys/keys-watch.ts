import { open, stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { RateLimit } from '../../../errors/rate-limit.ts'
import type { ApiKeys } from './api-keys.ts'

/**
 * How often the file is looked at. Not by `fs.watch`: it misses a file that is replaced by another one, or by a symbolic
 * link's new target, as Kubernetes does, and changes on a network's file system.
 */
const INTERVAL_MS = 1_000
/** Size limit of the file: ten thousand keys with bounds of some hundred bytes. Reading it takes some 200 ms. */
const MAX_BYTES = 4 * 1024 * 1024
/** While the file is broken, one line in this time. */
const LOG_INTERVAL_MS = 60_000

export interface KeysWatchOptions {
  readonly path: string
  readonly keys: ApiKeys
  readonly log: Logger
  readonly intervalMs?: number
}

/**
 * Keeps API keys as their file has them. A file that is broken, being written, or gone changes nothing: the keys stay,
 * and the log and a metric say so until it is right again.
 */
export class KeysWatch {
  readonly stats = { read: 0, failed: 0 }
  readonly #options: KeysWatchOptions
  readonly #limit = new RateLimit(LOG_INTERVAL_MS)
  /** What the file was when it was last read. */
  #seen = ''
  #problem: string | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: KeysWatchOptions) {
    this.#options = options
  }

  /** Why the file could not be read the last time, if it could not. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** @throws Error with one sentence that says why there are no keys. */
  async start(): Promise<void> {
    await this.#look()
    if (this.#problem !== undefined) throw new Error(`API_KEYS_FILE cannot be used: ${this.#problem}`)
    this.#again()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #again(): void {
    if (this.#isClosed) return
    const { intervalMs = INTERVAL_MS } = this.#options
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.#again())
    }, intervalMs).unref()
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { path, keys, log } = this.#options
    const before = this.#seen
    this.#seen = ''
    try {
      const seen = await stateOf(path)
      if (seen === before) this.#seen = before
      else {
        const text = await textOf(path)
        if (this.#isClosed) return
        // From here on the same file is not read again: it is right, or wrong, until it changes.
        this.#seen = seen
        keys.replace(text)
        this.stats.read++
        if (this.stats.read > 1) log.info({ keys: keys.size }, 'The API keys were read again')
        this.#problem = undefined
      }
    } catch (error) {
      this.stats.failed++
      this.#problem = sentenceOf(error)
    }
    if (this.#problem === undefined || this.stats.read === 0) return
    this.#limit.tell((unlogged) =>
      log.error(
        { problem: this.#problem, keys: keys.size, unlogged },
        'The file of API keys cannot be read: those from before stay valid',
      ),
    )
  }
}

/** What changes when a file is written, replaced, or what its symbolic link leads to is another one. */
async function stateOf(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true })
  // Of a pipe, reading would wait for somebody who writes.
  if (!stats.isFile()) throw new Error('it is no file')
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ')
}

/** The bound is that of what is read, since the file may grow meanwhile. */
async function textOf(path: string): Promise<string> {
  await using file = await open(path, 'r')
  const bytes = Buffer.alloc(Math.min(Number((await file.stat()).size), MAX_BYTES) + 1)
  let length = 0
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length)
    length += bytesRead
    if (bytesRead === 0 || length === bytes.length) break
  }
  if (length > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
  return bytes.toString('utf8', 0, length)
}

function sentenceOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  return code === undefined ? message : `reading it fails with ${code}`
}
