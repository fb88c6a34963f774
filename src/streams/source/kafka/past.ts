import { type FetchedRecords, type Source, SourceUnavailable } from '../port.ts'
import type { Cluster } from './cluster.ts'
import { unavailable } from './failures.ts'
import type { NearestReplicas } from './nearest-replicas.ts'
import type { Offsets } from './offsets.ts'
import { ErrorCode, isStale, KafkaError } from './protocol/error-codes.ts'
import { fetchRecords } from './protocol/fetch.ts'
import { readRecordSet } from './protocol/record-set.ts'

/** Attempts of one fetch: a leader may have just moved, a restarted broker may have dropped the connection. */
const TRIES = 6
/** Exponential backoff: the first wait, doubled after each attempt; three seconds in all. */
const FIRST_WAIT_MS = 100
/** Timeout of one fetch with all its attempts. */
const FETCH_TIMEOUT_MS = 20_000
/** No long poll: this only bounds reads from remote storage. */
const MAX_WAIT_MS = 500
const ANSWER_TIMEOUT_MS = 5_000
/** The broker is not to make this client wait longer than this at once: the signal is looked at in between. */
const MAX_THROTTLE_MS = 1_000

export interface PastOptions {
  readonly cluster: Cluster
  readonly offsets: Offsets
  readonly rack: string
  readonly nearest: NearestReplicas
  readonly closed: AbortSignal
  /** The broker throttled this client. */
  readonly throttled: (ms: number) => void
}

interface Wanted {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
}

/** Fetches from single partitions, for the past: on connections apart from those of the live reader. */
export class Past {
  readonly #options: PastOptions
  /** Compression ratio of each topic, from the last response; at least 1. */
  readonly #expansion = new Map<string, number>()

  constructor(options: PastOptions) {
    this.#options = options
  }

  /** See `Source.fetch`. */
  readonly fetch: Source['fetch'] = async (topic, partition, offset, maxBytes, signal) => {
    signal.throwIfAborted()
    const { closed } = this.#options
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
      return await Promise.race([this.#tryOften({ topic, partition, offset, maxBytes }, over.signal), cut.promise])
    } finally {
      over.abort()
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      closed.removeEventListener('abort', onClose)
    }
  }

  async #tryOften(wanted: Wanted, over: AbortSignal): Promise<FetchedRecords> {
    let isStaleNow = this.#options.cluster.topic(wanted.topic) === undefined
    for (let tries = 1, wait = FIRST_WAIT_MS; ; tries++, wait *= 2) {
      let failure: Error
      try {
        if (isStaleNow) await this.#options.cluster.lookUp([wanted.topic])
        over.throwIfAborted()
        const outcome = await this.#tryOnce(wanted, over)
        if (!(outcome instanceof SourceUnavailable)) return outcome
        failure = outcome
      } catch (error) {
        over.throwIfAborted()
        if (error instanceof KafkaError && !isStale(error.code)) throw unavailable(error)
        failure = error as Error
      }
      if (tries === TRIES) throw unavailable(failure)
      isStaleNow = true
      await pause(wait, over)
    }
  }

  /** One request. @returns SourceUnavailable if it may be repeated. */
  async #tryOnce(wanted: Wanted, over: AbortSignal): Promise<FetchedRecords | SourceUnavailable> {
    const { cluster, offsets, nearest, rack, throttled } = this.#options
    const { topic, partition, offset } = wanted
    const { leader, leaderEpoch } = leaderOf(cluster, topic, partition)
    const nodeId = nearest.of(topic, partition) ?? leader
    const maxBytes = Math.ceil(wanted.maxBytes / (this.#expansion.get(topic) ?? 1))
    const request = fetchRecords([{ topic, partition, offset, leaderEpoch, maxBytes }], {
      maxWaitMs: MAX_WAIT_MS,
      minBytes: 0,
      maxBytes,
      rack: nearest.isAvoided(topic, partition) ? '' : rack,
    })
    const connection = cluster.connection(nodeId, 'past')
    const { throttleMs, partitions } = await connection.ask(request, ANSWER_TIMEOUT_MS)
    over.throwIfAborted()
    if (throttleMs > 0) {
      throttled(throttleMs)
      await pause(Math.min(throttleMs, MAX_THROTTLE_MS), over)
    }
    const fetched = partitions[0]
    if (!fetched) return new SourceUnavailable('Kafka throttles this client')
    if (fetched.error !== ErrorCode.NONE && nearest.avoid(topic, partition)) return this.#tryOnce(wanted, over)
    if (fetched.preferredReadReplica >= 0) {
      nearest.prefer(topic, partition, fetched.preferredReadReplica)
      return this.#tryOnce(wanted, over)
    }
    if (fetched.error === ErrorCode.OFFSET_OUT_OF_RANGE) {
      const range = await offsets.range(topic, partition)
      // The log has moved since the request: retry.
      if (offset >= range.earliest && offset <= range.next) {
        return new SourceUnavailable(`Kafka did not have offset ${offset}, and now has`)
      }
      return { kind: 'out_of_range', range }
    }
    if (fetched.error !== ErrorCode.NONE) throw new KafkaError(fetched.error)
    const set = await readRecordSet(fetched.set, partition, offset, fetched.aborted)
    if (set.records.length > 0) this.#expansion.set(topic, Math.max(1, set.bytes / set.transferredBytes))
    const nextOffset = set.nextOffset ?? offset
    // The broker may read beyond the end that it looked up before.
    const endOffset = Math.max(fetched.lastStableOffset, nextOffset)
    if (nextOffset === offset && offset < endOffset) {
      return new SourceUnavailable(`Kafka gave nothing at offset ${offset}, and the log ends at ${endOffset}`)
    }
    return { kind: 'records', records: set.records, nextOffset, endOffset }
  }
}

function leaderOf(cluster: Cluster, topic: string, partition: number) {
  const known = cluster.topic(topic)
  if (known && known.error !== ErrorCode.NONE) throw new KafkaError(known.error)
  const found = known?.partitions.find((each) => each.partition === partition)
  if (!found) throw new SourceUnavailable(`Topic "${topic}" has no partition ${partition}`)
  if (found.leader < 0) throw new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE)
  return found
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
