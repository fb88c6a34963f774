import type { Gap } from '../../event.ts'
import { gapAt } from '../gap-at.ts'
import type { FaultPlace, PartitionRange, Source } from '../port.ts'
import { backoff, pause } from './backoff.ts'
import { compare, type LastRecords, type Likeness } from './last-records.ts'
import type { WantedOffsets } from './wanted-offsets.ts'

/** Grace period: the log may end before the wanted offset on a new leader that still catches up. */
const TRUNCATION_GRACE_MS = 2_000
const LOOK_AGAIN_MS = 250
/** One record is needed. It is returned with the rest of its record batch. */
const RECORD_BYTES = 1
/** Limit of concurrent comparisons. A broker answers one at a time. */
const MAX_COMPARISONS = 8
/** Limit of batches that are kept during their comparison: some megabytes. Others are fetched again after it. */
const MAX_KEPT = 8

export interface TruncationProbeOptions {
  readonly wanted: WantedOffsets
  readonly lastRecords: LastRecords
  readonly signal: AbortSignal
  readonly rangesOf: (topic: string) => Promise<readonly PartitionRange[]>
  readonly fetch: Source['fetch']
  readonly onGap: (gap: Gap) => void
  readonly warn: (message: string, extra: object) => void
  readonly onFault: (error: unknown, place: FaultPlace) => void
  /** Pauses a partition of the current consumer, */
  readonly hold: (topic: string, partition: number) => void
  /** and resumes it at the wanted offset. */
  readonly release: (topic: string, partition: number) => void
}

/**
 * Truncation probe: checks whether a partition's log was truncated or recreated, one probe of each partition at a time.
 * The partition is paused during the probe, however long that takes; the others continue. After the signal nothing is
 * called any more.
 */
export class TruncationProbe {
  readonly #options: TruncationProbeOptions
  readonly #open = new Set<string>()
  readonly #waiting: (() => void)[] = []
  #comparing = 0
  #kept = 0
  /** Partitions whose batch was not kept. Their next one is kept, so that repeated breaks cannot prevent progress. */
  readonly #owed = new Set<string>()

  constructor(options: TruncationProbeOptions) {
    this.#options = options
  }

  /** Pauses the partition, also of a new consumer, if a probe of it is running. */
  holds(topic: string, partition: number): boolean {
    const isOpen = this.#open.has(placeOf(topic, partition))
    if (isOpen) this.#options.hold(topic, partition)
    return isOpen
  }

  /** Probes the offset range of a log that does not hold the wanted offset, reports the gap, and continues after it. */
  look(topic: string, partition: number): Promise<void> {
    // By the time of the probe, a recreated log may have grown past the offset.
    this.#options.lastRecords.break(topic, partition)
    return this.#inquire(topic, partition, () => this.#findGap(topic, partition))
  }

  /**
   * Compares the log with the last delivered record. `deliver` is for the batch that was fetched before, which is of
   * the same log. It is not called where the batch may as well be fetched again.
   */
  verify(topic: string, partition: number, deliver: () => Promise<void> | undefined): Promise<void> {
    return this.#inquire(topic, partition, async () => {
      const place = placeOf(topic, partition)
      if (!this.#owed.delete(place) && this.#kept >= MAX_KEPT) {
        this.#owed.add(place)
        return this.#verify(topic, partition)
      }
      this.#kept++
      try {
        await this.#verify(topic, partition, deliver)
      } finally {
        this.#kept--
      }
    })
  }

  async #verify(topic: string, partition: number, deliver?: () => Promise<void> | undefined): Promise<void> {
    const { lastRecords, signal } = this.#options
    let breaks = 0
    const likeness = await this.#insist(topic, partition, () =>
      this.#inTurn(() => {
        breaks = lastRecords.breaks
        return this.#compare(topic, partition)
      }),
    )
    if (signal.aborted) return
    if (likeness === 'shorter') return this.#findGap(topic, partition)
    if (likeness === 'another') return this.#passToOther(topic, partition)
    lastRecords.trust(topic, partition, breaks)
    await deliver?.()
  }

  async #inquire(topic: string, partition: number, act: () => Promise<void>): Promise<void> {
    if (this.holds(topic, partition)) return
    const place = placeOf(topic, partition)
    this.#open.add(place)
    this.#options.hold(topic, partition)
    try {
      await act()
    } catch (error) {
      // An exception of ours: the partition continues at its position, and is probed again if necessary.
      this.#options.onFault(error, { topic, partition })
    } finally {
      this.#open.delete(place)
    }
    if (!this.#options.signal.aborted) this.#options.release(topic, partition)
  }

  async #compare(topic: string, partition: number): Promise<Likeness> {
    const { wanted, lastRecords, fetch, signal } = this.#options
    const last = lastRecords.doubted(topic, partition)
    if (!last) return 'same'
    const fetched = await fetch(topic, partition, last.offset, RECORD_BYTES, signal)
    return compare(fetched, last, wanted.get(topic, partition) as number)
  }

  async #findGap(topic: string, partition: number): Promise<void> {
    const { wanted, signal } = this.#options
    const since = Date.now()
    while (!signal.aborted) {
      const range = await this.#rangeOf(topic, partition)
      const gap = range && gapAt(wanted.get(topic, partition) as number, range)
      if (signal.aborted) return
      if (gap && (gap.reason === 'retention' || Date.now() - since >= TRUNCATION_GRACE_MS)) {
        return this.#pass(topic, partition, gap)
      }
      await pause(LOOK_AGAIN_MS, signal)
      if (!gap) return
    }
  }

  async #passToOther(topic: string, partition: number): Promise<void> {
    const range = await this.#rangeOf(topic, partition)
    if (range && !this.#options.signal.aborted) {
      this.#pass(topic, partition, { to: range.earliest, reason: 'truncation' })
    }
  }

  #pass(topic: string, partition: number, gap: Pick<Gap, 'to' | 'reason'>): void {
    const { wanted, lastRecords, onGap } = this.#options
    onGap({ kind: 'gap', topic, partition, from: wanted.get(topic, partition) as number, ...gap })
    wanted.moveTo(topic, partition, gap.to)
    lastRecords.forget(topic, partition)
  }

  #rangeOf(topic: string, partition: number): Promise<PartitionRange | undefined> {
    return this.#insist(topic, partition, async () => {
      const ranges = await this.#options.rangesOf(topic)
      return ranges.find((each) => each.partition === partition)
    })
  }

  /** Retries until there is an answer; undefined after the signal. */
  async #insist<T>(topic: string, partition: number, ask: () => Promise<T>): Promise<T | undefined> {
    const { signal, warn } = this.#options
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        return await ask()
      } catch (error) {
        if (signal.aborted) break
        warn('What a partition holds could not be found out; trying again', { topic, partition, err: error })
        await pause(backoff(attempt), signal)
      }
    }
    return undefined
  }

  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.#comparing < MAX_COMPARISONS) this.#comparing++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await act()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#comparing--
    }
  }
}

export function placeOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
