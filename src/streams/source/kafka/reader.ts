import { MAX_PARTITIONS } from '../../cursor/vector.ts'
import type { RawRecord } from '../../event.ts'
import type { Batch, PartitionRange, Reader, Source } from '../port.ts'
import { backoff, pause } from './backoff.ts'
import { LastRecords } from './last-records.ts'
import { StallDetector } from './stall-detector.ts'
import { placeOf, TruncationProbe } from './truncation-probe.ts'
import type { Fetched, WantedOffsets } from './wanted-offsets.ts'

/** Stall detection. Fetches return at least twice a second; a stop-the-world pause stays below this. */
const STALL_MS = 5_000
/** A consumer that has stalled for this long is replaced: a hung consumer does not recover. */
const GIVE_UP_MS = 30_000
const STALL_CHECK_MS = 1_000

export interface FetchedBatch extends Fetched {
  readonly records: () => RawRecord[]
  readonly endOffset: number
}

/** Callbacks of one consumer. After `crashed` it is discarded. */
export interface ConsumerEvents {
  /** Partitions were assigned. The consumer fetches nothing before this returns. */
  joined(assignment: Readonly<Record<string, readonly number[]>>): void
  /** True: the position moves to `nextOffset`. A promise, if the batch takes several turns of the event loop. */
  batch(batch: FetchedBatch): boolean | Promise<boolean>
  fetchBegan(node: string): void
  fetchEnded(node: string): void
  fetchFailed(error: Error): void
  crashed(error: Error): void
}

/** A consumer that is the only member of its group. `seek`, `pause` and `resume` do nothing without an assignment. */
export interface GroupConsumer {
  seek(topic: string, partition: number, offset: number): void
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  /** Leaves the group and closes its connections, in bounded time. */
  stop(): Promise<void>
}

export interface ReaderOptions {
  readonly wanted: WantedOffsets
  readonly reader: Reader
  readonly signal: AbortSignal
  readonly start: (topics: readonly string[], events: ConsumerEvents) => GroupConsumer
  readonly rangesOf: (topic: string) => Promise<readonly PartitionRange[]>
  /** Independent of every consumer. */
  readonly fetch: Source['fetch']
  readonly warn: (message: string, extra: object) => void
}

export function tooManyPartitions(topic: string, partitions: number): string {
  return `Topic "${topic}" has ${partitions} partitions, and ${MAX_PARTITIONS} are the most there may be`
}

/**
 * Reads the offsets of `wanted` indefinitely, with one consumer after another: a failed consumer is discarded, and the
 * next starts from the same wanted offsets. Resolves after `signal`, when nothing is called any more.
 */
export async function readForever(options: ReaderOptions): Promise<void> {
  const { wanted, reader, signal } = options
  const stopping = new Set<Promise<void>>()
  const lastRecords = new LastRecords()
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

  /**
   * Containment: an exception of ours must not end the process, nor, thrown into kafkajs, the consumer of all topics.
   */
  const contain = (act: () => void): void => {
    try {
      act()
    } catch (error) {
      reader.onFault?.(error)
    }
  }

  const truncationProbe = new TruncationProbe({
    wanted,
    lastRecords,
    signal,
    rangesOf: options.rangesOf,
    fetch: options.fetch,
    onGap: (gap) => reader.onGap(gap),
    warn: options.warn,
    onFault: (error, place) => reader.onFault?.(error, place),
    hold: (topic, partition) => consumer?.pause(topic, partition),
    release: (topic, partition) => {
      consumer?.seek(topic, partition, wanted.get(topic, partition) as number)
      consumer?.resume(topic, partition)
    },
  })

  /** By partition the batch that is being taken. It is not delivered yet: the wanted offset is still before it. */
  const taking = new Map<string, Promise<void>>()

  /** An exception of the reader does not cause a retry of the batch: it would throw again. */
  const handOver = (batch: Batch): Promise<void> | undefined => {
    const failed = (error: unknown) => reader.onFault?.(error, batch)
    try {
      return reader.onBatch(batch)?.catch(failed)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  const deliver = (batch: FetchedBatch): Promise<void> | undefined => {
    const { topic, partition, nextOffset, endOffset } = batch
    const records = batch.records()
    const moveOn = () => {
      if (signal.aborted) return // the batch may be half taken
      wanted.moveTo(topic, partition, nextOffset)
      const last = records.at(-1)
      if (last) lastRecords.remember(topic, partition, last)
    }
    const taken = handOver({ topic, partition, records, nextOffset, endOffset })
    if (taken === undefined) {
      moveOn()
      return undefined
    }
    const place = placeOf(topic, partition)
    const delivered = taken.then(() => {
      taking.delete(place)
      moveOn()
    })
    taking.set(place, delivered)
    return delivered
  }

  /** Runs one consumer until it fails, and returns why; undefined when the reader is to stop. */
  const runConsumer = async (): Promise<Error | undefined> => {
    const ended = Promise.withResolvers<Error | undefined>()
    const stallDetector = new StallDetector({ stallMs: STALL_MS, forgetMs: GIVE_UP_MS, now: Date.now() })
    const failedBefore = new Map<string, number>()
    const answered = new Map<string, number>()
    let failed = 0
    let lastFailure = ''
    let live = true
    let stood = false

    const join = (assignment: Readonly<Record<string, readonly number[]>>) => {
      if (!live || signal.aborted) return
      const assigned = Object.entries(assignment)
      const tooMany = assigned.find(([, partitions]) => partitions.length > MAX_PARTITIONS)
      if (tooMany) {
        live = false // never a part of its partitions: the others would be lost silently
        return ended.resolve(new Error(tooManyPartitions(tooMany[0], tooMany[1].length)))
      }
      lastRecords.breakAll()
      for (const [topic, partitions] of assigned) {
        for (const partition of wanted.discover(topic, partitions)) {
          void handOver({ topic, partition, records: [], nextOffset: 0, endOffset: 0 })
        }
      }
      for (const { topic, partition, offset } of wanted.all()) consumer?.seek(topic, partition, offset)
    }

    const take = (batch: FetchedBatch): boolean | Promise<boolean> => {
      if (!live || signal.aborted) return false
      const { topic, partition } = batch
      // A batch of a former consumer, as a rule. This one's position is known after that has been delivered.
      const before = taking.get(placeOf(topic, partition))
      if (before !== undefined) return before.then(() => events.batch(batch))
      if (truncationProbe.holds(topic, partition)) return false
      const verdict = wanted.judge(batch)
      if (verdict === 'deliver') {
        if (!lastRecords.doubted(topic, partition)) {
          return deliver(batch)?.then(() => true) ?? true
        }
        void truncationProbe.verify(topic, partition, () => deliver(batch))
        return false
      }
      const offset = wanted.get(topic, partition)
      if (verdict === 'look') void truncationProbe.look(topic, partition)
      else if (offset !== undefined) consumer?.seek(topic, partition, offset)
      return false
    }

    const events: ConsumerEvents = {
      joined: (assignment) => contain(() => join(assignment)),
      batch(batch) {
        try {
          return take(batch)
        } catch (error) {
          reader.onFault?.(error, batch)
          // The batch is fetched again later.
          void truncationProbe.look(batch.topic, batch.partition)
          return false
        }
      },
      fetchBegan(node) {
        const now = Date.now()
        stallDetector.began(node, now)
        if (!answered.has(node)) answered.set(node, now)
        failedBefore.set(node, failed)
      },
      fetchEnded(node) {
        if (!live) return
        const now = Date.now()
        // No error was seen, perhaps because the failing request was sent after the outage.
        if (now - (answered.get(node) ?? now) > STALL_MS) lastRecords.breakAll()
        answered.set(node, now)
        if (failedBefore.get(node) !== failed) return
        stallDetector.succeeded(node, now)
        if (stallDetector.stalledFor(now) === undefined) reading()
      },
      fetchFailed(error) {
        failed++
        if (live) lastRecords.breakAll()
        lastFailure = `: ${error.message}`
      },
      crashed: (error) => ended.resolve(error),
    }

    const look = () => {
      // Backpressure of our own delays the next fetch: that is no stall of the brokers.
      if (taking.size > 0) stallDetector.excuse(Date.now())
      const stalled = stallDetector.stalledFor(Date.now())
      // Partitions of a broker that does not answer may move to another before its fetch has failed.
      if (stalled !== undefined && !stood) lastRecords.breakAll()
      stood = stalled !== undefined
      if (stalled === undefined) return
      const reason = `Kafka has answered no fetch for more than ${STALL_MS / 1000} s${lastFailure}`
      wait(reason)
      if (stalled > GIVE_UP_MS) ended.resolve(new Error(reason))
    }
    const timer = setInterval(() => contain(look), STALL_CHECK_MS)
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
    // Logged once for every outage; the state reports its course.
    if (failures === 0) options.warn('The reader has lost Kafka; it keeps trying', { reason: error.message })
    wait(error.message)
    await pause(backoff(failures++), signal)
  }
  await Promise.all([...stopping, ...taking.values()])
}
