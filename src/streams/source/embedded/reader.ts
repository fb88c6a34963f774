import type { Positions } from '../../event.ts'
import type { Reader } from '../port.ts'
import type { PartitionLog, TopicLog } from './topic-log.ts'

/** Batch size: that many small records are taken in one turn of the event loop. */
const MAX_BATCH_RECORDS = 500

export interface LogReading {
  readonly topics: ReadonlyMap<string, TopicLog>
  readonly topic: string
  readonly from: Positions
  readonly reader: Reader
  readonly signal: AbortSignal
  /** Called when records were appended. */
  readonly wakers: Set<() => void>
}

/**
 * A reader of a topic of the embedded log, which continues one turn after an append. Resolves after the signal, when no
 * batch is being taken.
 */
export async function readLog(reading: LogReading): Promise<void> {
  const { reader, signal, wakers } = reading
  if (signal.aborted) return
  const topic = new TopicReader(reading)
  const wake = (): void => topic.wake()
  signal.addEventListener('abort', wake)
  wakers.add(wake)
  reader.onState({ kind: 'reading' })
  await topic.readUntilAborted().finally(() => wakers.delete(wake))
}

class TopicReader {
  readonly #options: LogReading
  readonly #wanted: Map<number, number>
  /** By partition, a batch that is being taken: the others go on. */
  readonly #taking = new Map<number, Promise<void>>()
  /** There are more records, or may be. */
  #isWoken = true
  #goOn: (() => void) | undefined

  constructor(options: LogReading) {
    this.#options = options
    this.#wanted = new Map(options.from)
  }

  wake(): void {
    this.#isWoken = true
    this.#goOn?.()
  }

  async readUntilAborted(): Promise<void> {
    const { signal } = this.#options
    while (!signal.aborted) {
      if (!this.#isWoken) await new Promise<void>((resolve) => (this.#goOn = resolve))
      if (signal.aborted) break
      await new Promise((resolve) => setImmediate(resolve))
      this.#isWoken = false
      this.#round()
    }
    await Promise.all(this.#taking.values())
  }

  /** Delivers the next batch of each partition that has taken the one before. */
  #round(): void {
    const { topics, topic, signal } = this.#options
    for (const log of topics.get(topic)?.partitions ?? []) {
      if (signal.aborted) return
      if (this.#taking.has(log.partition)) continue
      const taken = this.#readPartition(log)?.then(() => {
        this.#taking.delete(log.partition)
        this.wake()
      })
      if (taken !== undefined) this.#taking.set(log.partition, taken)
    }
  }

  #readPartition(log: PartitionLog): Promise<void> | undefined {
    const { topic, reader } = this.#options
    const wanted = this.#wanted
    const { partition } = log
    const offset = this.#passGap(log, wanted.get(partition) ?? 0)
    const records = log.slice(offset, MAX_BATCH_RECORDS)
    const nextOffset = offset + records.length
    if (records.length === 0 && wanted.has(partition)) return undefined
    const batch = { topic, partition, records, nextOffset, endOffset: log.next }
    const taken = this.#call(partition, () => reader.onBatch(batch))
    const moveOn = (): void => {
      wanted.set(partition, nextOffset)
      if (nextOffset < log.next) this.#isWoken = true
    }
    if (taken !== undefined) return taken.catch((error) => this.#report(error, partition)).then(moveOn)
    moveOn()
    return undefined
  }

  /** Reports the gap at `from`, and returns the offset at which to continue. */
  #passGap({ partition, earliest, next }: PartitionLog, from: number): number {
    if (from >= earliest && from <= next) return from
    const { topic, reader } = this.#options
    const reason = from < earliest ? 'retention' : 'truncation'
    this.#call(partition, () => reader.onGap({ kind: 'gap', topic, partition, from, to: earliest, reason }))
    this.#wanted.set(partition, earliest)
    return earliest
  }

  /** Containment: what a reader throws stops neither the log nor the process. */
  #call<T>(partition: number, call: () => T): T | undefined {
    try {
      return call()
    } catch (error) {
      this.#report(error, partition)
      return undefined
    }
  }

  #report(error: unknown, partition: number): void {
    const { topic, reader } = this.#options
    reader.onFault?.(error, { topic, partition })
  }
}
