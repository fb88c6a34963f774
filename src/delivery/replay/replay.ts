import { covers } from '../../streams/cursor/vector.ts'
import type { Gap } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import { BEYOND_END_MS, type Position } from '../../streams/feed/position.ts'
import { OwnFrames } from '../frames/own-frames.ts'
import type { CatchUp } from './catch-up.ts'
import type { History } from './history.ts'
import { NamedPosition } from './named-position.ts'
import { PageReader } from './page-reader.ts'
import type { MemberReplay, ReplayGroup, ReplayHost } from './replay-host.ts'
import { beginningOf, inspectReplay, type ReplayInspection } from './replay-inspection.ts'
import type { ReplayOptions } from './replay-options.ts'
import { ReplayPace } from './replay-pace.ts'
import { readShared } from './shared-reader.ts'
import { readWindow } from './window-reader.ts'

/**
 * A member's way from where it was to the head of its group: through the log, the window, and, where it has seen what
 * this instance has not, along with the group until that has seen it too. It keeps a position, no events, and goes on a
 * piece at a time, as its outlet takes it.
 */
export class Replay implements MemberReplay {
  readonly #host: ReplayHost
  readonly #history: History
  readonly #position: Position
  readonly #hasMarker: boolean
  readonly #named: NamedPosition
  /** With a throttle. */
  readonly #catchUp: CatchUp | undefined
  /** Gaps that are told when what was found before them has been written. */
  #untold: readonly Gap[] = []
  /** In the page that it is in. */
  #page: PageReader | undefined
  /** The log or a resolver is awaited. */
  #isAwaiting = false
  #isChecking = false
  #began = 0
  #readsLog = false
  /** The place in the window up to which it has read what the members in step have. */
  #inOrderAt = -1
  readonly #pace: ReplayPace
  readonly #beginning: ReturnType<typeof beginningOf>

  constructor(host: ReplayHost, { history, position, hasMarker, catchUp }: ReplayOptions) {
    this.#host = host
    this.#history = history
    this.#position = position
    this.#hasMarker = hasMarker
    this.#named = new NamedPosition(host.group.feed.topic.name, position.vector)
    this.#catchUp = catchUp
    this.#began = performance.now()
    this.#pace = new ReplayPace(host.group.shared.maxReplayRate, host.share)
    this.#beginning = beginningOf(position)
  }

  get share(): ReplayHost['share'] {
    return this.#host.share
  }

  /** The position that a heartbeat may name; undefined: none, before a gap has been told, or may have to be. */
  get cursor(): string | undefined {
    if (this.#position.isStale || this.#position.isUnchecked) return undefined
    return this.#catchUp?.cursor(this.#position) ?? this.#position.cursor
  }

  get inspection(): ReplayInspection {
    return inspectReplay(this.#beginning, this.#position, this.#group.feed)
  }

  step(): boolean {
    if (this.#isAwaiting) return false
    // It may be asked again after it has come to its end.
    if (!this.#host.takes(this)) {
      this.end()
      return false
    }
    if (this.#began !== 0) {
      this.#group.shared.stats.replayWaitMs += performance.now() - this.#began
      this.#began = 0
    }
    if (this.#isTooFast()) return false
    const catchUp = this.#catchUp
    if (catchUp?.isReady) return this.#gather((frames) => catchUp.write(frames, this.#position))
    if (this.#untold.length > 0) return this.#writeGaps(this.#untold)
    if (this.#page) return this.#stepPage(this.#page)
    const { seq } = this.#group.read
    const next = this.#position.next(seq)
    switch (next.kind) {
      case 'gaps':
        this.#inOrderAt = -1
        this.#tellGaps(next.gaps)
        return true
      case 'log':
        return this.#stepLog(next.partition, next.offset)
      case 'window':
        if (!catchUp) return this.#isInOrder(next.seq) ? this.#stepShared(next.seq, seq) : this.#stepOwn(next.seq, seq)
        catchUp.readWindow(this.#position, next.seq, seq)
        return true
      case 'head':
        return catchUp?.showRest() === true || this.#arrive()
    }
  }

  /** It is not going to read on now. */
  end(): void {
    this.#page = undefined
    this.#permits.leave(this)
    if (this.#host.isClosed) this.#catchUp?.end()
  }

  /** A mistake of ours: its client comes back, to where it was. */
  failed(error: unknown): void {
    this.#host.failed(error)
  }

  /** Finds out whether the log ends before the position, once it has followed the group since `since` for long enough. */
  check(since: number, now: number): void {
    if (this.#isChecking || now - since < BEYOND_END_MS) return
    this.#isChecking = true
    void this.#group.feed
      .ranges()
      .then((ranges) => {
        if (!this.#host.takes(this)) return
        const gaps = this.#position.passEnds(ranges)
        if (gaps.length === 0) return
        this.#inOrderAt = -1
        try {
          if (this.#tellGaps(gaps)) this.#goOn()
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

  get #group(): ReplayGroup {
    return this.#host.group
  }

  get #source() {
    return { feed: this.#group.feed, history: this.#history }
  }

  get #permits(): ReturnType<ReplayGroup['shared']['logPermitsOf']> {
    return this.#group.shared.logPermitsOf(this.#group.feed)
  }

  #goOn(): void {
    if (!this.#host.isClosed) this.#host.schedule()
  }

  /** From `seq` on, the position is what that of the members in step is. */
  #isInOrder(seq: number): boolean {
    if (seq === this.#inOrderAt) return true
    const { feed } = this.#group
    return !this.#position.isAhead && feed.window.endOf(this.#position.vector) <= seq
  }

  /** Whether what is rendered for it may soon be wanted by others. */
  get #isKept(): boolean {
    return this.#group.replaying > 1 || this.#pace.isBrief
  }

  #stepShared(seq: number, limit: number): boolean {
    const { feed } = this.#group
    const options = { limit, framing: this.#host.framing.results, isKept: this.#isKept, named: this.#named }
    const read = readShared(this.#history, seq, options)
    if (read instanceof Promise) return this.#await(read)
    if (!read) return this.#stepOwn(seq, limit)
    this.#position.raise(feed.window.vectorAt(read.next, feed.head), read.next)
    this.#inOrderAt = read.next
    return this.#write(read.bytes, read.frames, read.isShared)
  }

  #stepOwn(seq: number, limit: number): boolean {
    const isInOrder = (at: number) => this.#isInOrder(at)
    return this.#gather((frames) => readWindow(this.#source, this.#position, frames, { seq, limit, isInOrder }))
  }

  #stepLog(partition: number, offset: number): boolean {
    const { feed, shared } = this.#group
    this.#inOrderAt = -1
    if (!this.#permits.take(this)) return false
    if (!this.#readsLog) {
      this.#readsLog = true
      shared.stats.replays.log++
    }
    const found = feed.page(partition, offset, () => !this.#host.isClosed)
    if (found instanceof Promise) return this.#await(found.then((settled) => this.#open(settled, true)))
    this.#open(found)
    return true
  }

  /** `isNew`: the page was decoded for this, and not in memory. */
  #open(found: Awaited<ReturnType<Feed['page']>>, isNew = false): void {
    if (isNew && found?.kind === 'page') this.#pace.decoded(found.events.length)
    if (!found || this.#host.isClosed) return
    if (found.kind === 'gap') {
      this.end()
      const gap = this.#position.passGap(found)
      if (gap) this.#tellGaps([gap])
      return
    }
    this.#position.check(found)
    if (this.#position.isStale) {
      this.end()
      return
    }
    this.#page = new PageReader(found, this.#history)
    this.#group.feed.prefetch(found.partition, found.next)
  }

  #stepPage(page: PageReader): boolean {
    const position = this.#position
    if (position.isStale) {
      this.end()
      return true
    }
    if (this.#catchUp) {
      // Others get their turn with the log in between.
      if (page.conflate(position, this.#catchUp)) this.end()
      return true
    }
    return this.#gather((frames) => {
      const done = page.read(position, frames)
      if (done instanceof Promise) return done
      // Others get their turn with the log in between.
      if (done === true) this.end()
      return undefined
    })
  }

  /** Has frames gathered, and writes them; what had to be awaited is awaited then. */
  #gather(act: (frames: OwnFrames) => Promise<void> | undefined): boolean {
    const frames = new OwnFrames(this.#host.framing.results, this.#group.shared.pieceBytes)
    const pending = act(frames)
    if (frames.count > 0) this.#named.moveTo(this.#position.vector)
    const more = this.#write(frames.bytes, frames.count)
    if (pending === undefined) return more
    this.end()
    return this.#await(pending)
  }

  #await(pending: Promise<void>): false {
    this.#isAwaiting = true
    pending.then(() => this.#wake()).catch((error: unknown) => this.failed(error))
    return false
  }

  /** The position is after the gaps. False: the outlet is full. */
  #tellGaps(gaps: readonly Gap[]): boolean {
    if (!this.#catchUp?.showAll()) return this.#writeGaps(gaps)
    this.#untold = [...this.#untold, ...gaps]
    return true
  }

  #writeGaps(gaps: readonly Gap[]): boolean {
    this.#untold = []
    this.#catchUp?.passedGaps(this.#position)
    this.#named.moveTo(this.#position.vector)
    return this.#host.writeGaps(gaps, this.#position.cursor)
  }

  #write(bytes: Buffer | undefined, events: number, isShared = false): boolean {
    this.#pace.wrote(events)
    this.#group.shared.stats.replayedEvents += events
    const more = !bytes || this.#host.writeReplayed(bytes, events, isShared)
    // What it has in hand is not to wait for its client.
    if (!more) this.end()
    return more
  }

  #isTooFast(): boolean {
    const { restMs } = this.#pace
    if (restMs === 0) return false
    this.end()
    this.#isAwaiting = true
    setTimeout(() => this.#wake(), restMs).unref()
    return true
  }

  #wake(): void {
    this.#isAwaiting = false
    this.#goOn()
  }

  #arrive(): false {
    const { read, settled } = this.#group
    // A group that is on its own way through the log may have passed what this has not, and one that still resolves an
    // event of a log that was replaced says nothing of this one.
    const isInOrder = read.seq >= 0 && read.restarts === this.#group.feed.window.restarts
    const hasRead = isInOrder && covers(read.vector, this.#position.vector)
    if (hasRead && this.#catchUp?.isCoveredBy(settled.vector) !== false) {
      this.#catchUp?.end()
      this.#host.arrive(this.#hasMarker)
      return false
    }
    // What is before the group's position has been passed; what is after it comes with the group.
    if (isInOrder) this.#position.raise(read.vector, this.#position.seq)
    this.#host.follow()
    return false
  }
}
