import { PlainHistogram } from './plain-histogram.ts'

/** In seconds: from what a flush can be to what nobody calls live. */
const AGE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Older records were written anew, or say the time of what they are about: one would hide all others in a mean. */
const MAX_AGE_MS = 24 * 60 * 60_000
/** Clocks of machines differ by less: such an age is 0. What is later still is no time in milliseconds. */
const MAX_SKEW_MS = 60_000

/** Why a record has no age: it has no timestamp, or one of more than a day ago, or of more than a minute from now. */
export const WITHOUT_AGE = ['none', 'past', 'future'] as const
type WithoutAge = (typeof WITHOUT_AGE)[number]

/**
 * How old events are when they are written to the live members of groups: from the record's timestamp, a producer's or
 * the broker's, to the flush. Replays and lagging members are not counted: what they are written is old by their own
 * doing.
 */
export class EventAges {
  readonly byTopic = new Map<string, PlainHistogram>()
  /** Frames of records without an age, once for each group. */
  readonly without: Record<WithoutAge, number> = { none: 0, past: 0, future: 0 }
  #from = 0
  #to = 0

  constructor() {
    this.refresh()
  }

  /** Sets what is a timestamp. Called at least once a second, so that no clock is read for each event. */
  refresh(now = Date.now()): void {
    this.#from = now - MAX_AGE_MS
    this.#to = now + MAX_SKEW_MS
  }

  /** Whether an age can be told; otherwise that is counted. */
  admits(timestamp: number): boolean {
    if (timestamp >= this.#from && timestamp <= this.#to) return true
    this.without[timestamp > this.#to ? 'future' : timestamp >= 0 ? 'past' : 'none']++
    return false
  }

  /** The pending frames of a group of this topic. */
  pending(topic: string): PendingAge {
    return new PendingAge(this, this.of(topic))
  }

  of(topic: string): PlainHistogram {
    let histogram = this.byTopic.get(topic)
    if (!histogram) {
      histogram = new PlainHistogram(AGE_BUCKETS)
      this.byTopic.set(topic, histogram)
    }
    return histogram
  }
}

/**
 * The age of a group's next flush: that of its oldest event, for all of them. They differ by some milliseconds, but
 * where the group is behind: then it says how far.
 */
export class PendingAge {
  readonly #ages: EventAges
  readonly #histogram: PlainHistogram
  #oldest = Number.POSITIVE_INFINITY
  #frames = 0

  constructor(ages: EventAges, histogram: PlainHistogram) {
    this.#ages = ages
    this.#histogram = histogram
  }

  /** `timestamp` of the frame's record; undefined: it is of no record, or was held back on request. */
  add(timestamp: number | undefined): void {
    if (timestamp === undefined || !this.#ages.admits(timestamp)) return
    this.#frames++
    if (timestamp < this.#oldest) this.#oldest = timestamp
  }

  /** The pending frames were written to so many members. */
  flushed(members: number): void {
    if (this.#frames === 0) return
    const now = Date.now()
    this.#ages.refresh(now)
    if (members > 0) this.#histogram.observe(Math.max(0, now - this.#oldest) / 1_000, this.#frames * members)
    this.#oldest = Number.POSITIVE_INFINITY
    this.#frames = 0
  }
}
