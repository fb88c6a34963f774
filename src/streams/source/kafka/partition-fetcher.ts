import { type FetchedRecords, type PartitionRange, type Source, SourceUnavailable } from '../port.ts'
import { type Connection, ConnectionPool } from './connection-pool.ts'
import { answerOf, unavailable } from './failures.ts'

/** Attempts of one fetch: a leader may have just moved, a restarted broker may have dropped the connection. */
const TRIES = 5
/** Exponential backoff: the first wait, doubled after each attempt; a second and a half in all. */
const FIRST_WAIT_MS = 100
/** Timeout of one fetch with all its attempts: two requests that a frozen broker never answers. */
const FETCH_TIMEOUT_MS = 20_000
/** Idle timeout: long enough for a client that reads at its own pace. Reconnecting costs some 20 ms. */
const IDLE_MS = 30_000

/** Failures are kafkajs's errors, or `SourceUnavailable` where a retry would not help. */
export interface FetchConnection extends Connection {
  /** Sends no request after `signal` is aborted. A pending response is still awaited. */
  fetch(wanted: Wanted, signal: AbortSignal): Promise<FetchAnswer>
  range(topic: string, partition: number): Promise<PartitionRange>
  /** Invalidates the cached leader of a partition. */
  forgetLeader(topic: string, partition: number): void
}

export interface Wanted {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
}

export type FetchAnswer =
  | Extract<FetchedRecords, { kind: 'records' }>
  | { readonly kind: 'out_of_range' }
  /** The broker throttles this client. */
  | { readonly kind: 'throttled' }

/**
 * Fetches from partitions over a connection pool of its own.
 * After an error code from Kafka (a leader has moved), the request is retried over the same connections. Any other
 * failure retires them, since kafkajs may be in an inconsistent state after it.
 */
export function createPartitionFetcher(
  open: () => FetchConnection,
  closed: AbortSignal,
): { readonly fetch: Source['fetch']; close(): Promise<void> } {
  const pool = new ConnectionPool(open, IDLE_MS, closed)

  /** @returns SourceUnavailable if a retry may help. */
  const tryOnce = async (wanted: Wanted, over: AbortSignal): Promise<FetchedRecords | SourceUnavailable> => {
    const shared = pool.take()
    const { connection, connected } = shared
    const retire = () => pool.retire(shared)
    const onTimeout = () => {
      if (over.reason instanceof SourceUnavailable) retire()
    }
    over.addEventListener('abort', onTimeout)
    try {
      await connected.catch((error: unknown) => {
        retire()
        throw unavailable(error) // connecting has been retried by kafkajs
      })
      return await ask(connection, wanted, over)
    } catch (error) {
      if (over.aborted || error instanceof SourceUnavailable) throw error
      if (answerOf(error) === undefined) retire()
      else if ((error as { retriable?: boolean }).retriable === false) throw unavailable(error)
      else connection.forgetLeader(wanted.topic, wanted.partition)
      return unavailable(error)
    } finally {
      over.removeEventListener('abort', onTimeout)
      pool.giveBack(shared)
    }
  }
  const tryOften = async (wanted: Wanted, over: AbortSignal): Promise<FetchedRecords> => {
    for (let tries = 1, wait = FIRST_WAIT_MS; ; tries++, wait *= 2) {
      const outcome = await tryOnce(wanted, over)
      if (!(outcome instanceof SourceUnavailable)) return outcome
      if (tries === TRIES) throw outcome
      await pause(wait, over)
    }
  }

  return {
    async fetch(topic, partition, offset, maxBytes, signal) {
      signal.throwIfAborted()
      if (closed.aborted) throw closedError()
      const over = new AbortController()
      const cut = Promise.withResolvers<never>()
      over.signal.addEventListener('abort', () => cut.reject(over.signal.reason))
      const onAbort = () => over.abort(signal.reason)
      const onClose = () => over.abort(closedError())
      const timer = setTimeout(() => {
        over.abort(new SourceUnavailable(`Kafka has not answered within ${FETCH_TIMEOUT_MS / 1_000} s`))
      }, FETCH_TIMEOUT_MS)
      signal.addEventListener('abort', onAbort)
      closed.addEventListener('abort', onClose)
      try {
        return await Promise.race([tryOften({ topic, partition, offset, maxBytes }, over.signal), cut.promise])
      } finally {
        over.abort()
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        closed.removeEventListener('abort', onClose)
      }
    },

    close: () => pool.ended(),
  }
}

/** Rejects with the reason of `over` as soon as it is aborted. */
async function pause(ms: number, over: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const onOver = () => reject(over.reason)
  over.addEventListener('abort', onOver)
  try {
    over.throwIfAborted()
    await promise
  } finally {
    clearTimeout(timer)
    over.removeEventListener('abort', onOver)
  }
}

const closedError = () => new SourceUnavailable('The connection to Kafka is closed')

/** One request; an invalid response may be retried. */
async function ask(
  connection: FetchConnection,
  wanted: Wanted,
  over: AbortSignal,
): Promise<FetchedRecords | SourceUnavailable> {
  const answer = await connection.fetch(wanted, over)
  const { topic, partition, offset } = wanted
  if (answer.kind === 'throttled') return new SourceUnavailable('Kafka throttles this client')
  if (answer.kind === 'out_of_range') {
    const range = await connection.range(topic, partition)
    // The log has moved since the request: retry.
    if (offset >= range.earliest && offset <= range.next) {
      return new SourceUnavailable(`Kafka did not have offset ${offset}, and now has`)
    }
    return { kind: 'out_of_range', range }
  }
  if (answer.nextOffset === offset && offset < answer.endOffset) {
    return new SourceUnavailable(`Kafka gave nothing at offset ${offset}, and the log ends at ${answer.endOffset}`)
  }
  return answer
}
