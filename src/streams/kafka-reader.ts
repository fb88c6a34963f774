import type { RawRecord } from './event.ts'
import { gapAt } from './gap-at.ts'
import type { Fetched, WantedOffsets } from './kafka-positions.ts'
import { FetchWatch } from './kafka-watch.ts'
import type { PartitionRange, Reader } from './port.ts'
import { MAX_PARTITIONS } from './topic.ts'

/** Fetches come back at least twice a second, so this is no load; it is what a stop-the-world pause must not reach. */
const STALL_MS = 5_000
/** A consumer that stands still for this long is given up, and another made: what it hangs in, it will not leave. */
const GIVE_UP_MS = 30_000
const WATCH_EVERY_MS = 1_000
/** The first wait after a failure, doubled up to the second: how late a broker that is back may be found, at most. */
const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 2_000
/** A log that ends before the wanted offset may be a replica that has just become leader, and is catching up. */
const TRUNCATION_GRACE_MS = 2_000
const LOOK_AGAIN_MS = 250

/** What one consumer tells its reader. After `crashed` it is of no use any more. */
export interface ConsumerEvents {
  /** Partitions were assigned; the consumer fetches nothing before this returns. */
  joined(assignment: Readonly<Record<string, readonly number[]>>): void
  /** True if the position moves on to `nextOffset`. */
  batch(batch: Fetched & { readonly records: () => RawRecord[]; readonly endOffset: number }): boolean
  fetchBegan(node: string): void
  fetchEnded(node: string): void
  fetchFailed(error: Error): void
  crashed(error: Error): void
}

/** A consumer in a group of its own. `seek` and the others do nothing while it has no assignment. */
export interface GroupConsumer {
  seek(topic: string, partition: number, offset: number): void
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  /** Leaves the group and closes its connections, in a bounded time. */
  stop(): Promise<void>
}

export interface ReaderOptions {
  readonly wanted: WantedOffsets
  readonly reader: Reader
  readonly signal: AbortSignal
  readonly start: (topics: readonly string[], events: ConsumerEvents) => GroupConsumer
  readonly rangesOf: (topic: string) => Promise<readonly PartitionRange[]>
  readonly warn: (message: string, extra: object) => void
}

export function tooManyPartitions(topic: string, partitions: number): string {
  return `Topic "${topic}" has ${partitions} partitions, and ${MAX_PARTITIONS} are the most there may be`
}

/** Half of it for certain, the rest by chance, so that the instances of a fleet do not come back in step. */
function backoff(attempt: number): number {
  const full = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt)
  return full / 2 + (Math.random() * full) / 2
}

/** Resolves after that time, or at once when the reader is to stop. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake)
    if (signal.aborted) wake()
  })
}

/**
 * Reads for ever what `wanted` says, with one consumer after another: a consumer that fails is left behind, and the
 * next starts from the same wanted offsets. Resolves after `signal`, when nothing is called any more.
 */
export async function readForever(options: ReaderOptions): Promise<void> {
  const { wanted, reader, signal } = options
  const stopping = new Set<Promise<void>>()
  const looking = new Set<string>()
  let consumer: GroupConsumer | undefined
  let failures = 0
  let state: string | undefined

  const wait = (reason: string) => {
    if (signal.aborted || state === reason) return
    state = reason
    reader.onState({ kind: 'waiting', reason })
  }
  const reading = () => {
    failures = 0
    if (signal.aborted || state === '') return
    state = ''
    reader.onState({ kind: 'reading' })
  }

  /** Finds out what became of an offset that the broker does not have, says so, and reads on from there. */
  const look = async (topic: string, partition: number) => {
    const key = `${topic}/${partition}`
    consumer?.pause(topic, partition)
    if (looking.has(key)) return
    looking.add(key)
    const since = Date.now()
    for (let attempt = 0; !signal.aborted; attempt++) {
      const from = wanted.get(topic, partition) as number
      try {
        const range = (await options.rangesOf(topic)).find((each) => each.partition === partition)
        const gap = range && gapAt(from, range)
        if (signal.aborted) break
        if (gap && (gap.reason === 'retention' || Date.now() - since >= TRUNCATION_GRACE_MS)) {
          reader.onGap({ kind: 'gap', topic, partition, from, ...gap })
          wanted.moveTo(topic, partition, gap.to)
          break
        }
        await pause(LOOK_AGAIN_MS, signal)
        if (!gap) break
      } catch (error) {
        if (signal.aborted) break
        options.warn('What a partition holds could not be found out; trying again', { topic, partition, err: error })
        await pause(backoff(attempt), signal)
      }
    }
    looking.delete(key)
    if (signal.aborted) return
    consumer?.seek(topic, partition, wanted.get(topic, partition) as number)
    consumer?.resume(topic, partition)
  }

  /** Runs one consumer until it fails, and returns why; undefined when the reader is to stop. */
  const runConsumer = async (): Promise<Error | undefined> => {
    const ended = Promise.withResolvers<Error | undefined>()
    const watch = new FetchWatch({ stallMs: STALL_MS, forgetMs: GIVE_UP_MS, now: Date.now() })
    const failedBefore = new Map<string, number>()
    let failed = 0
    let lastFailure = ''
    let live = true

    const events: ConsumerEvents = {
      joined(assignment) {
        if (!live || signal.aborted) return
        const assigned = Object.entries(assignment)
        const tooMany = assigned.find(([, partitions]) => partitions.length > MAX_PARTITIONS)
        if (tooMany) {
          live = false // not a part of a topic: what is missing would be missing without a word
          return ended.resolve(new Error(tooManyPartitions(tooMany[0], tooMany[1].length)))
        }
        for (const [topic, partitions] of assigned) {
          for (const partition of wanted.discover(topic, partitions)) {
            reader.onBatch({ topic, partition, records: [], nextOffset: 0, endOffset: 0 })
          }
        }
        for (const { topic, partition, offset } of wanted.all()) consumer?.seek(topic, partition, offset)
      },
      batch(batch) {
        if (!live || signal.aborted) return false
        const { topic, partition, nextOffset, endOffset } = batch
        const verdict = wanted.judge(batch)
        if (verdict === 'deliver') {
          reader.onBatch({ topic, partition, records: batch.records(), nextOffset, endOffset })
          wanted.moveTo(topic, partition, nextOffset)
          return true
        }
        const offset = wanted.get(topic, partition)
        if (verdict === 'look') void look(topic, partition)
        else if (offset !== undefined) consumer?.seek(topic, partition, offset)
        return false
      },
      fetchBegan(node) {
        watch.began(node, Date.now())
        failedBefore.set(node, failed)
      },
      fetchEnded(node) {
        if (!live || failedBefore.get(node) !== failed) return
        watch.succeeded(node, Date.now())
        if (watch.stalledFor(Date.now()) === undefined) reading()
      },
      fetchFailed(error) {
        failed++
        lastFailure = `: ${error.message}`
      },
      crashed: (error) => ended.resolve(error),
    }

    const timer = setInterval(() => {
      const stalled = watch.stalledFor(Date.now())
      if (stalled === undefined) return
      const reason = `Kafka has answered no fetch for more than ${STALL_MS / 1000} s${lastFailure}`
      wait(reason)
      if (stalled > GIVE_UP_MS) ended.resolve(new Error(reason))
    }, WATCH_EVERY_MS)
    const stop = () => ended.resolve(undefined)
    signal.addEventListener('abort', stop)
    const mine = options.start(wanted.topics, events)
    consumer = mine
    try {
      return await ended.promise
    } finally {
      live = false
      consumer = undefined
      clearInterval(timer)
      signal.removeEventListener('abort', stop)
      const stopped = mine.stop()
      stopping.add(stopped)
      void stopped.finally(() => stopping.delete(stopped))
    }
  }

  wait('The reader has not joined Kafka yet')
  while (!signal.aborted) {
    const error = await runConsumer()
    if (!error) break
    // Once for every outage; how it goes on is told by the state.
    if (failures === 0) options.warn('The reader has lost Kafka; it keeps trying', { reason: error.message })
    wait(error.message)
    await pause(backoff(failures++), signal)
  }
  await Promise.all(stopping)
}
