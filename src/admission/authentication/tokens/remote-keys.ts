import type { Logger } from 'pino'
import { SluiceError } from '../../../errors/codes.ts'
import { logError } from '../../../errors/faults.ts'
import { RateLimit } from '../../../errors/rate-limit.ts'
import { retryMs } from '../../../errors/retry-hints.ts'
import { fetchJwks } from './fetch-jwks.ts'
import { type Candidate, KeySet, type KeySource, readKeys } from './key-set.ts'

/** How long a fetch may take, and so how long a request with a new key waits: a page can be shown in that time. */
const FETCH_TIMEOUT_MS = 3_000
/** After this, keys are fetched again, and so a removed one is noticed. Issuers announce new keys hours before. */
const MAX_AGE_MS = 600_000
/** After a failed fetch, the next one. */
const RETRY_MS = 10_000
/** No fetch for an unknown key within this time after the last one: made-up key names cause six fetches a minute. */
const COOLDOWN_MS = 10_000
const LOG_INTERVAL_MS = 60_000

export interface RemoteKeysOptions {
  readonly url: string
  readonly algorithms: readonly string[]
  readonly log: Logger
  readonly timeoutMs?: number
  readonly maxAgeMs?: number
  readonly retryMs?: number
  readonly cooldownMs?: number
}

/**
 * The keys that an issuer publishes at a URL. A known key is found at once, whatever the issuer does: keys are replaced
 * only by another well-formed set, also when they are past their age. An unknown one is a reason to fetch them, once for
 * all requests that wait for it.
 */
export class RemoteKeys implements KeySource {
  readonly stats = { fetched: 0, failed: 0 }
  readonly #options: Required<RemoteKeysOptions>
  readonly #limit = new RateLimit(LOG_INTERVAL_MS)
  readonly #closing = new AbortController()
  #keys = new KeySet([])
  /** The last fetch has succeeded. */
  #isCurrent = false
  #fetching: Promise<void> | undefined
  #fetchedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(options: RemoteKeysOptions) {
    const defaults = { timeoutMs: FETCH_TIMEOUT_MS, maxAgeMs: MAX_AGE_MS, retryMs: RETRY_MS, cooldownMs: COOLDOWN_MS }
    this.#options = { ...defaults, ...options }
  }

  /** Fetches the keys, and from then on at intervals. Resolves when the first fetch has ended, in whichever way. */
  start(): Promise<void> {
    return this.#fetch()
  }

  get size(): number {
    return this.#keys.size
  }

  find(algorithm: string, kid: string | undefined): readonly Candidate[] | Promise<readonly Candidate[]> {
    const found = this.#keys.find(algorithm, kid)
    return found.length > 0 ? found : this.#findNew(algorithm, kid)
  }

  has(id: string): boolean {
    return this.#keys.has(id)
  }

  close(): void {
    this.#closing.abort()
    clearTimeout(this.#timer)
  }

  /**
   * An outage is not the client's fault: 401 would make it drop credentials that are good. So it is told to come back
   * where the current keys are not known.
   */
  async #findNew(algorithm: string, kid: string | undefined): Promise<readonly Candidate[]> {
    const { cooldownMs } = this.#options
    if (performance.now() - this.#fetchedAt >= cooldownMs) void this.#fetch()
    await this.#fetching
    const found = this.#keys.find(algorithm, kid)
    if (found.length > 0 || this.#isCurrent) return found
    throw new SluiceError('NOT_READY', 'The keys that verify tokens cannot be fetched now', {}, retryMs())
  }

  /** Never rejects. A fetch under way is shared. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetchOnce(): Promise<void> {
    const { url, algorithms, log, timeoutMs, maxAgeMs, retryMs: againMs } = this.#options
    clearTimeout(this.#timer)
    try {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)])
      const { keys, problems } = await readKeys(await fetchJwks(url, signal), algorithms)
      if (this.#closing.signal.aborted) return
      this.stats.fetched++
      this.#keys = keys
      this.#isCurrent = true
      if (keys.size === 0) this.#tell('no-keys', `The JWKS has no key for ${algorithms.join(', ')}: no token is valid`)
      for (const problem of problems) this.#tell('problem', `Of the JWKS, ${problem}`)
    } catch (error) {
      if (this.#closing.signal.aborted) return
      this.stats.failed++
      this.#isCurrent = false
      this.#limit.tell(
        (unlogged) => logError(log, error, { unlogged, keys: this.#keys.size }, 'The JWKS cannot be fetched'),
        'fetch',
      )
    } finally {
      this.#fetchedAt = performance.now()
      if (!this.#closing.signal.aborted) {
        this.#timer = setTimeout(() => void this.#fetch(), this.#isCurrent ? maxAgeMs : againMs).unref()
      }
    }
  }

  #tell(key: string, message: string): void {
    this.#limit.tell((unlogged) => this.#options.log.warn({ unlogged }, message), key)
  }
}
