import { decodeCursor } from '../streams/cursor.ts'
import type { Gap, StreamEvent } from '../streams/event.ts'
import type { Page } from '../streams/pages.ts'
import { BEYOND_END_MS, type Position } from '../streams/position.ts'
import { covers, type Vector } from '../streams/vector.ts'
import { PIECE_BYTES } from './chunk.ts'
import { cursorOf } from './frame.ts'
import type { Group } from './group.ts'
import type { Subscriber } from './subscriber.ts'
import type { Worker } from './turns.ts'

/**
 * A member's way from where it was to the head of its group: through the log, the window, and, where it has seen what
 * this instance has not, along with the group until that has seen it too. It keeps a position, no events, and goes on a
 * piece at a time, as its outlet takes it.
 */
export class Replay implements Worker {
  readonly #member: Subscriber
  readonly #position: Position
  readonly #hasMarker: boolean
  /** What its client goes by: no frame of the group may name less. Undefined: those to come do not. */
  #named: Vector | undefined
  /** The page it is in, and where in it. */
  #page: Page | undefined
  #index = 0
  /** The log or a resolver is awaited. */
  #isAwaiting = false
  /** Since when it waits for the group to get as far, in milliseconds of the monotonic clock; 0: it does not. */
  #aheadSince = 0
  #isChecking = false
  #began = 0
  #readsLog = false
  /** The place in the window up to which it has read what the members in step have. */
  #inOrderAt = -1
  /** Events written, */
  #replayed = 0
  /** and those of them in the current second. */
  #second = 0
  #written = 0

  constructor(member: Subscriber, position: Position, hasMarker: boolean) {
    this.#member = member
    this.#position = position
    this.#hasMarker = hasMarker
    this.#named = [...position.vector]
    this.#began = performance.now()
  }

  /** The position that a heartbeat may name; undefined: none, before a gap has been told, or may have to be. */
  get cursor(): string | undefined {
    return this.#position.isStale || this.#position.isUnchecked ? undefined : this.#position.cursor
  }

  step(): boolean {
    if (this.#isAwaiting) return false
    // It may be asked again after it has come to its end.
    if (this.#member.replay !== this || this.#member.closed || this.#member.lagging) {
      this.end()
      return false
    }
    if (this.#began !== 0) {
      this.#group.stats.replayWaitMs += performance.now() - this.#began
      this.#began = 0
    }
    if (this.#isTooFast()) return false
    if (this.#page) return this.#stepPage(this.#page)
    const { seq } = this.#group.settled
    const next = this.#position.next(seq)
    switch (next.kind) {
      case 'gaps':
        this.#inOrderAt = -1
        this.#writeGaps(next.gaps)
        return true
      case 'log':
        return this.#stepLog(next.partition, next.offset)
      case 'window':
        return this.#isInOrder(next.seq) ? this.#stepShared(next.seq, seq) : this.#stepOwn(next.seq, seq)
      case 'head':
        return this.#arrive()
    }
  }

  /** It is not going to read on now. */
  end(): void {
    this.#page = undefined
    this.#group.logSeats.leave(this)
  }

  /** A mistake of ours: its client comes back, to where it was. */
  failed(error: unknown): void {
    this.#group.clientFailed(this.#member, error)
  }

  /** Whether the log ends before the position is found out, once that has been waited for. */
  check(now: number): void {
    if (this.#aheadSince === 0 || this.#isChecking || now - this.#aheadSince < BEYOND_END_MS) return
    this.#isChecking = true
    const feed = this.#group.feed
    void feed
      .ranges()
      .then((ranges) => {
        if (this.#member.closed || this.#member.lagging) return
        const gaps = this.#position.passEnds(ranges)
        if (gaps.length === 0) return
        this.#inOrderAt = -1
        try {
          this.#writeGaps(gaps)
          this.#goOn()
        } catch (error) {
          this.failed(error)
        }
      })
      // The log cannot be reached: it is asked again at the next check.
      .catch(() => {})
      .finally(() => {
        this.#isChecking = false
      })
  }

  get #group(): Group {
    return this.#member.group
  }

  #goOn(): void {
    if (!this.#member.closed) this.#group.replays.add(this)
  }

  /** From `seq` on, the position is what that of the members in step is. */
  #isInOrder(seq: number): boolean {
    if (seq === this.#inOrderAt) return true
    const { feed } = this.#group
    return !this.#position.isAhead && feed.window.endOf(this.#position.vector) <= seq
  }

  /** Whether what is rendered for it may soon be wanted by others. */
  get #isKept(): boolean {
    return this.#group.replaying > 1 || this.#replayed < ALONE_EVENTS
  }

  #stepShared(seq: number, limit: number): boolean {
    const { feed, history } = this.#group
    const pieces: Buffer[] = []
    let size = 0
    let frames = 0
    let next = seq
    // Where little matches, several reads make one write.
    for (let reads = 0; next < limit && size < ENOUGH_BYTES && reads < MAX_READS; reads++) {
      const read = history.read(next, limit, this.#isKept)
      if (read instanceof Promise) {
        if (next === seq) return this.#await(read)
        break
      }
      if (read.bytes && this.#isBelowNamed(read.bytes)) return this.#stepOwn(seq, limit)
      if (read.bytes) pieces.push(read.bytes)
      size += read.bytes?.length ?? 0
      frames += read.frames
      next = read.next
    }
    this.#position.raise(feed.window.vectorAt(next, feed.head), next)
    this.#inOrderAt = next
    return this.#write(pieces.length > 1 ? Buffer.concat(pieces, size) : pieces[0], frames)
  }

  #stepOwn(seq: number, limit: number): boolean {
    const { window } = this.#group.feed
    const position = this.#position
    return this.#gather((frames) => {
      for (let at = seq; at < limit; at++) {
        const event = window.at(at) as StreamEvent
        if (position.wants(event)) {
          if (at > seq && frames.isEnough) return undefined
          const body = this.#group.history.bodyAt(at, limit)
          if (body instanceof Promise) return body
          position.take(event)
          if (body) frames.add(position.cursor, body)
        }
        position.moveTo(at + 1)
        // It may be in order from here on.
        if (at % CHECK_EVERY === 0 && (at - seq >= MAX_PASSED || this.#isInOrder(at + 1))) return undefined
      }
      return undefined
    })
  }

  #stepLog(partition: number, offset: number): boolean {
    const { feed, stats } = this.#group
    this.#inOrderAt = -1
    if (!this.#group.logSeats.take(this)) return false
    if (!this.#readsLog) {
      this.#readsLog = true
      stats.replays.log++
    }
    const found = feed.page(partition, offset, () => !this.#member.closed)
    if (found instanceof Promise) {
      return this.#await(found.then((settled) => this.#open(settled)))
    }
    this.#open(found)
    return true
  }

  #open(found: Awaited<ReturnType<Group['feed']['page']>>): void {
    if (!found || this.#member.closed) return
    if (found.kind === 'gap') {
      this.end()
      const gap = this.#position.passGap(found)
      if (gap) this.#writeGaps([gap])
      return
    }
    this.#position.check(found)
    if (this.#position.isStale) {
      this.end()
      return
    }
    this.#page = found
    this.#index = 0
    this.#group.feed.prefetch(found.partition, found.next)
  }

  #stepPage(page: Page): boolean {
    const position = this.#position
    if (position.isStale) {
      this.end()
      return true
    }
    const { history } = this.#group
    return this.#gather((frames) => {
      for (; this.#index < page.events.length; this.#index++) {
        const event = page.events[this.#index] as StreamEvent
        if (!position.wants(event)) continue
        if (frames.isEnough) return undefined
        const body = history.bodyOfPage(page, this.#index)
        if (body instanceof Promise) return body
        position.take(event)
        if (body) frames.add(position.cursor, body)
      }
      position.passPage(page)
      // Others get their turn with the log in between.
      this.end()
      return undefined
    })
  }

  /** Has frames gathered, and writes them; what had to be awaited is awaited then. */
  #gather(act: (frames: Frames) => Promise<void> | undefined): boolean {
    const frames = new Frames(this.#group, this.#group.pieceBytes)
    const pending = act(frames)
    if (frames.count > 0) this.#named = [...this.#position.vector]
    const more = this.#write(frames.bytes, frames.count)
    if (pending === undefined) return more
    this.end()
    return this.#await(pending)
  }

  #await(pending: Promise<void>): false {
    this.#isAwaiting = true
    const goOn = (): void => {
      this.#isAwaiting = false
      this.#goOn()
    }
    pending.then(goOn).catch((error: unknown) => this.failed(error))
    return false
  }

  /** Whether the first of the group's frames names less than the client goes by; those after it then do neither. */
  #isBelowNamed(frames: Buffer): boolean {
    if (!this.#named) return false
    const { positions } = decodeCursor(this.#group.feed.topic.name, cursorOf(frames))
    if (!covers(positions, this.#named)) return true
    this.#named = undefined
    return false
  }

  #writeGaps(gaps: readonly Gap[]): void {
    this.#named = [...this.#position.vector]
    this.#group.writeGaps(this.#member, gaps, this.#position.cursor)
  }

  #write(bytes: Buffer | undefined, events: number): boolean {
    this.#replayed += events
    this.#written += events
    this.#group.stats.replayedEvents += events
    if (bytes) this.#group.writeReplayed(this.#member, bytes, events)
    // What it has in hand is not to wait for its client.
    if (this.#member.lagging) this.end()
    return !this.#member.lagging
  }

  /** A client gets so many events a second, so that one that missed much takes no more than its part. */
  #isTooFast(): boolean {
    const now = performance.now()
    if (now - this.#second >= 1000) {
      this.#second = now
      this.#written = 0
    }
    if (this.#written < this.#group.maxReplayRate) return false
    this.end()
    this.#isAwaiting = true
    const wait = setTimeout(
      () => {
        this.#isAwaiting = false
        this.#goOn()
      },
      this.#second + 1000 - now,
    )
    wait.unref()
    return true
  }

  #arrive(): false {
    const { settled } = this.#group
    // A group that is on its own way through the log may have passed what this has not, and one that still resolves an
    // event of a log that was replaced says nothing of this one.
    const isInOrder = settled.seq >= 0 && settled.restarts === this.#group.feed.window.restarts
    if (isInOrder && covers(settled.vector, this.#position.vector)) {
      this.#group.arrive(this.#member, this.#hasMarker)
      return false
    }
    // What is before the group's position has been passed; what is after it comes with the group.
    if (isInOrder) this.#position.raise(settled.vector, this.#position.seq)
    this.#aheadSince ||= performance.now()
    this.#group.follow(this)
    return false
  }
}

/** A position is compared with the group's now and then: that costs as much as a few frames. */
const CHECK_EVERY = 32
/** As much is written as it lies there; less is worth putting together with what comes after it. */
const ENOUGH_BYTES = PIECE_BYTES / 4
/** Reads for one write: each looks at up to 1,024 events, which may have to be rendered first. */
const MAX_READS = 8
/**
 * Who has read on alone for as many events keeps nothing for others: what is kept for a while costs the garbage collector as
 * much as rendering costs.
 */
const ALONE_EVENTS = 4096
/** Events looked at in one go: less than a millisecond. */
const MAX_PASSED = 2048

/** Frames of one member, which nobody else can have, on their way into one write. */
class Frames {
  readonly #group: Group
  readonly #maxBytes: number
  readonly #frames: Buffer[] = []
  #size = 0

  constructor(group: Group, maxBytes: number) {
    this.#group = group
    this.#maxBytes = maxBytes
  }

  get count(): number {
    return this.#frames.length
  }

  get isEnough(): boolean {
    return this.#size >= this.#maxBytes
  }

  get bytes(): Buffer | undefined {
    return this.count > 1 ? Buffer.concat(this.#frames, this.#size) : this.#frames[0]
  }

  add(cursor: string, body: Buffer): void {
    const frame = this.#group.style.frameOf(cursor, body)
    this.#frames.push(frame)
    this.#size += frame.length
  }
}
