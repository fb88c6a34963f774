import { covers, maxOf, type Vector } from '../../streams/cursor/vector.ts'
import type { StreamEvent } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Position } from '../../streams/feed/position.ts'
import { eventBytes } from '../../streams/feed/size.ts'
import { Conflation } from '../../streams/throttle/conflation.ts'
import type { OwnFrames } from '../frames/own-frames.ts'
import type { Execution } from '../render/execution.ts'
import { fingerprintOf } from '../throttle/fingerprint.ts'
import type { GroupThrottle } from '../throttle/group-throttle.ts'
import type { Throttles } from '../throttle/throttles.ts'
import { Digests, nextRun } from './digests.ts'
import type { History } from './history.ts'

/** Events looked at in one go, of those that the group may select: less than a millisecond. */
const MAX_LOOKED = 2048
/** Events that are written in one go: they fill a write, mostly. */
const ENOUGH = 64

export interface CatchUpGroup {
  /** Key of the group. */
  readonly key: string
  readonly feed: Feed
  readonly history: History
  readonly execution: Execution
  readonly throttle: GroupThrottle
  readonly throttles: Throttles
  /** Undefined: what is shown depends on more than the latest event of a key. */
  readonly digests: Digests | undefined
}

/** What the members of a throttled group that come back share. */
export function catchUpGroup(options: Omit<CatchUpGroup, 'digests'>): CatchUpGroup {
  const { key, feed, history, execution, throttle, throttles } = options
  const { mode, keyOf } = throttle.throttling
  const selects = (event: StreamEvent) => execution.selects(event)
  const digests = new Digests({ cache: throttles.digests, key, feed, history, selects, keyOf })
  return { ...options, digests: mode === 'LATEST' ? digests : undefined }
}

/** Events by identity: after a restart of the log, another event may have the same offset. */
const numbers = new WeakMap<StreamEvent, number>()
let lastNumber = 0

function numberOf(event: StreamEvent): number {
  let number = numbers.get(event)
  if (number === undefined) {
    number = ++lastNumber
    numbers.set(event, number)
  }
  return number
}

/**
 * The past of a throttled group, for one member: conflated, whatever its length. The member reads all that its group has
 * read, and is shown what the group is not going to show it: what the group holds comes with the group.
 */
export class CatchUp {
  readonly #group: CatchUpGroup
  readonly #conflation: Conflation<StreamEvent>
  /** What the member was told last: no later block names less. */
  #named: Vector
  #cursor: string
  /** Gaps are to be told after what is held: the position is after them, and its cursor must not be. */
  #isBeforeGaps = false
  /** The body that was awaited last. */
  #awaited: { readonly event: StreamEvent; readonly body: Buffer } | undefined
  #lastPartition = 0

  constructor(group: CatchUpGroup, position: Position) {
    this.#group = group
    this.#named = [...position.vector]
    this.#cursor = position.cursor
    this.#conflation = new Conflation(group.throttle.throttling, group.throttles.catchUps)
  }

  /** There are events to be written. */
  get isReady(): boolean {
    return this.#conflation.ready > 0
  }

  get isEnough(): boolean {
    return this.#conflation.ready >= ENOUGH
  }

  /** Has the events of the window from `seq` to before `limit` conflated: some of them, as `readWindow` does. */
  readWindow(position: Position, seq: number, limit: number): void {
    const { feed, history, digests } = this.#group
    // From there on the member has seen none.
    const unseen = feed.window.endOf(position.vector)
    let at = seq
    for (let looked = 0; at < limit && looked < MAX_LOOKED && !this.isEnough; looked++) {
      const run = at >= unseen ? digests?.at(at, limit) : undefined
      if (run) {
        for (const each of run.seqs) this.#take(feed.window.at(each) as StreamEvent, 0, false)
        looked += run.seqs.length
        at = run.next
        position.raise(feed.window.vectorAt(at, feed.head), at)
        continue
      }
      const end = digests ? Math.min(limit, nextRun(at)) : limit
      at = history.next(at, end)
      position.passTo(at)
      if (at === end) continue
      const event = feed.window.at(at) as StreamEvent
      if (position.take(event)) this.offer(event, false)
      position.moveTo(++at)
    }
  }

  /** Takes an event that the member has not seen. `isOfPage`: it is of a page of the log. */
  offer(event: StreamEvent, isOfPage: boolean): void {
    const { execution, feed } = this.#group
    if (!execution.selects(event)) return
    // An event of the window is in memory already.
    this.#take(event, isOfPage ? eventBytes(event, feed.topic.validator) : 0, isOfPage)
  }

  /** The member has read as far as its group: what the group does not hold is to be written. Whether there is any. */
  showRest(): boolean {
    this.#conflation.show((event) => this.#group.throttle.holds(event))
    return this.isReady
  }

  /** Gaps were found: all that is held is written before they are told. False: there is nothing. */
  showAll(): boolean {
    this.#conflation.show()
    this.#isBeforeGaps = this.isReady
    return this.isReady
  }

  /** Gaps were told, and the position after them. */
  passedGaps(position: Position): void {
    this.#isBeforeGaps = false
    this.#named = [...position.vector]
    this.#cursor = position.cursor
  }

  /** Gathers frames of what is to be written, until the write is large enough. A promise: go on when it is settled. */
  write(frames: OwnFrames, position: Position): Promise<void> | undefined {
    for (let event = this.#conflation.next(); event; event = this.#conflation.next()) {
      if (frames.isEnough) return undefined
      const body = this.#bodyOf(event)
      if (body instanceof Promise) return body.then(() => {})
      this.#conflation.released()
      if (body !== undefined) frames.add(this.cursor(position), body)
    }
    return undefined
  }

  /** The cursor of the member: no later than what is held, and no earlier than what it was told before. */
  cursor(position: Position): string {
    if (this.#isBeforeGaps) return this.#cursor
    this.#named = maxOf(this.#named, this.#conflation.below(position.vector))
    // The window is of another log than a stale position.
    const { feed } = this.#group
    const before = position.isStale ? undefined : fingerprintOf(feed, this.#named, this.#lastPartition)
    this.#cursor = position.cursorAt(this.#named, before)
    return this.#cursor
  }

  /** Whether a position passes nothing less than what the member was told. */
  isCoveredBy(settled: Vector): boolean {
    return covers(settled, this.#named)
  }

  end(): void {
    this.#conflation.clear()
    this.#awaited = undefined
  }

  #take(event: StreamEvent, bytes: number, isByTime: boolean): void {
    this.#lastPartition = event.partition
    this.#conflation.offer(this.#group.throttle.throttling.keyOf(event), event, bytes, isByTime)
  }

  /** Rendered once for all members that are shown the event. */
  #bodyOf(event: StreamEvent): Buffer | Promise<Buffer> | undefined {
    if (this.#awaited?.event === event) return this.#awaited.body
    const { key, execution, throttles } = this.#group
    const name = `${key}\n${numberOf(event)}`
    const known = throttles.bodies.get(name)
    if (known) return known
    const body = execution.bodyOf(event, false)
    if (body instanceof Promise) return this.#await(event, body)
    if (body !== undefined) throttles.bodies.set(name, body)
    return body
  }

  async #await(event: StreamEvent, pending: Promise<Buffer>): Promise<Buffer> {
    const body = await pending
    this.#awaited = { event, body }
    return body
  }
}
