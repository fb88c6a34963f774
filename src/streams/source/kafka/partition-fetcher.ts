import { type FetchedRecords, type PartitionRange, type Source, SourceUnavailable } from '../port.ts'
import { type Connection, ConnectionPool } from './connection-pool.ts'
import { answerOf, unavailable } from './failures.ts'

/** Tries of one fetch: a leader that has just moved, a connection that a restarted broker has dropped. */
const TRIES = 5
/** After the first try, and twice as long after each: a second and a half in all. */
const FIRST_WAIT_MS = 100
/** Of one fetch with all its tries: two requests that a frozen broker never answers. */
const FETCH_TIMEOUT_MS = 20_000
/** Long enough for a client that reads on at its own pace; connections recreated cost some 20 ms. */
const IDLE_MS = 30_000

/** What failed is told in kafkajs's errors; where another try is of no use, by `SourceUnavailable`. */
export interface FetchConnection extends Connection {
  /** Asks nothing any more when `signal` is aborted; an answer that is under way is waited for all the same. */
  fetch(wanted: Wanted, signal: AbortSignal): Promise<FetchAnswer>
  range(topic: string, partition: number): Promise<PartitionRange>
  /** The leader is to be looked for again. */
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
  /** The broker wants to be asked less. */
  | { readonly kind: 'throttled' }

/**
 * Fetches from partitions, by connections of their own.
 *
 * What Kafka answers (a leader has moved) is asked again over the same connections; any other failure retires them,
 * since kafkajs does not always come out of one whole.
 */
export function createPartitionFetcher(
  open: () => FetchConnection,
  closed: AbortSignal,
): { readonly fetch: Source['fetch']; close(): Promise<void> } {
  const pool = new ConnectionPool(open, IDLE_MS, closed)

  /** @returns SourceUnavailable if another try may help. */
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
        throw unavailable(error) // connecting has had tries of its own
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

/** Rejects with the reason of `over` as soon as that is aborted. */
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

/** One question; an answer that is none is worth another try. */
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
    // The log has moved since.
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
