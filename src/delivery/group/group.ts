import type { Framing } from '../../protocol/framing.ts'
import { gapError } from '../../schema/gap-error.ts'
import type { Gap } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Settled } from '../../streams/feed/settled.ts'
import type { Table } from '../../streams/table/table.ts'
import type { PendingAge } from '../counts/event-ages.ts'
import type { OperationWork } from '../counts/operation-counts.ts'
import type { FrameHolder } from '../frames/frame-budget.ts'
import { cursorBytes, FrameLog } from '../frames/frame-log.ts'
import type { BoundStream } from '../operation/operation.ts'
import type { CloseReason, Outlet, OutletOwner } from '../outlet.ts'
import type { OnFailed, OnJson } from '../render/outcome.ts'
import type { Renderer } from '../render/renderer.ts'
import type { Beginning, Flow } from '../replay/flow.ts'
import type { MemberReplay, ReplayHost } from '../replay/replay-host.ts'
import type { Shared } from '../replay/shared.ts'
import { StreamFlow } from '../replay/stream-flow.ts'
import { TableFlow } from '../table/table-flow.ts'
import { FlushBytes } from './flush-bytes.ts'
import { CLOSED, fullSinceOf, LIVE, type MemberState, replayOf } from './member-state.ts'
import { type MemberGroup, Subscriber } from './subscriber.ts'

/** Callbacks of a group to the engine. */
export interface GroupHost {
  /** A frame was appended: a flush is due. */
  appended(group: Group): void
  /** The group has to be swept once a second: it has frames, or members that are not live. */
  unsettled(group: Group): void
  left(member: Subscriber, reason: CloseReason): void
  /** The group failed, and ends. `at`: the place of the topic where it failed, if that is known. */
  failed(group: Group, error: unknown, at: object): void
  /** The last member was removed: the group lingers. */
  lingers(group: Group): void
  ended(group: Group): void
}

export interface GroupOptions {
  readonly host: GroupHost
  readonly shared: Shared
  readonly feed: Feed
  /** Of a field that shows a table. */
  readonly table?: Table | undefined
  readonly stream: BoundStream
  readonly renderer: Renderer
  /** Counters of its operation's name. */
  readonly work: OperationWork
  /** Key of equal operations; undefined: not shared. */
  readonly key: string | undefined
}

let nextPrivateKey = 0

/** Group of equal subscriptions: one execution, one serialization and, for each framing, one frame for each event. */
export class Group implements FrameHolder, MemberGroup {
  readonly key: string | undefined
  readonly feed: Feed
  readonly log: FrameLog
  readonly renderer: Renderer
  readonly flow: Flow
  readonly shared: Shared
  readonly stream: BoundStream
  /** By what it can be blocked; undefined: its members have not said. */
  operation: OutletOwner['operation']
  /** In milliseconds of the monotonic clock. */
  readonly createdAt = performance.now()
  /** Executions of its operation, for other groups, when it was created. */
  readonly executionsBefore: number
  /** Bytes that its members were written. */
  sentBytes = 0
  /** Counters of its operation's name. */
  readonly work: OperationWork
  readonly #host: GroupHost
  readonly #age: PendingAge
  readonly #members = new Set<Subscriber>()
  #replaying = 0
  #lagging = 0
  #flushed = 0
  /** Number of the next frame at each of the last sweeps, oldest first. */
  #marks: number[] = []
  /** Since when it has no members, in milliseconds of the monotonic clock; 0: it has members. */
  emptySince = 0
  #ended = false

  /** @throws SluiceError `BAD_USER_INPUT` if the field's `where` has too many combinations. */
  constructor({ host, shared, feed, table, stream, renderer, work, key: groupKey }: GroupOptions) {
    this.key = groupKey
    this.feed = feed
    this.renderer = renderer
    this.shared = shared
    this.#host = host
    this.stream = stream
    this.work = work
    this.executionsBefore = renderer.cost.executions
    this.#age = shared.ages.pending(feed.topic.name)
    const key = groupKey ?? `private ${nextPrivateKey++}`
    const log = new FrameLog(shared.budget, this, table ? table.store.nextSeq : feed.window.nextSeq)
    const onJson: OnJson = (json, cursor, seq, restarts, timestamp) => {
      this.#age.add(timestamp)
      log.append(cursorBytes(cursor), json, seq, restarts)
      host.appended(this)
    }
    const onFailed: OnFailed = (error, at) => this.fail(error, at)
    const options = { feed, stream, renderer, log, shared, key, onJson, onFailed }
    this.log = log
    this.flow = table
      ? new TableFlow({ ...options, table, onLoaded: (begin) => this.#startOver(begin) })
      : new StreamFlow(options)
  }

  get size(): number {
    return this.#members.size
  }

  get replaying(): number {
    return this.#replaying
  }

  get flushed(): number {
    return this.#flushed
  }

  /** Number of the oldest frame in the log. */
  get first(): number {
    return this.log.first
  }

  get read(): Settled {
    return this.flow.read
  }

  /** Whether a member is neither live nor gone. */
  get hasSlow(): boolean {
    return this.#replaying + this.#lagging > 0
  }

  /** Its members. */
  [Symbol.iterator](): Iterator<Subscriber> {
    return this.#members.values()
  }

  /** Position of members at the head, after a flush. */
  get settled(): Settled {
    return this.flow.settled
  }

  /**
   * Adds a member, and writes its first block.
   * @throws what failed; the outlet has been ended by then.
   */
  join(outlet: Outlet, framing: Framing, beginning: Beginning): Subscriber {
    const member = new Subscriber(this, outlet, framing)
    this.operation ??= outlet.owner?.operation
    this.work.begin()
    try {
      this.#resume()
      // Pending frames of the live members are flushed first: they are not for a member that starts now.
      if (!beginning.position) this.flush()
      if (this.#ended) throw new Error('The group has failed')
      this.#members.add(member)
      member.begin(beginning)
      return member
    } catch (error) {
      member.fail()
      throw error
    }
  }

  #resume(): void {
    if (this.emptySince === 0) return
    this.emptySince = 0
    this.flow.resume()
  }

  sent(bytes: number): void {
    this.sentBytes += bytes
    this.work.bytes += bytes
  }

  changed(from: MemberState, to: MemberState): void {
    this.#replaying += Number(replayOf(to) !== undefined) - Number(replayOf(from) !== undefined)
    const lagging = Number(fullSinceOf(to) !== 0) - Number(fullSinceOf(from) !== 0)
    this.#lagging += lagging
    this.shared.lagging += lagging
    if (to !== LIVE && to !== CLOSED) this.#host.unsettled(this)
  }

  left(member: Subscriber, reason: CloseReason): void {
    this.#members.delete(member)
    this.work.running--
    this.#host.left(member, reason)
    this.endIfEmpty()
  }

  /**
   * Ends a group without members, or lets it linger if it has frames that reconnecting clients may need. A lingering
   * group executes nothing. It resumes from the window.
   */
  endIfEmpty(): void {
    if (this.size > 0 || this.#ended) return
    if (this.log.first === this.log.next) {
      this.end()
      return
    }
    this.emptySince = performance.now()
    this.flow.suspend()
    this.#host.lingers(this)
  }

  /**
   * Ends the group after a failure. The streams of its members end without `complete`, so that the clients reconnect
   * with their cursors, and join a new group. Never throws.
   */
  fail(error: unknown, at: object = {}): void {
    if (this.#ended) return
    const { faults } = this.shared
    this.#host.failed(this, error, at)
    faults.contain('flush', () => this.end())
    for (const member of [...this.#members]) faults.contain('client', () => member.fail())
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#host.ended(this)
    this.flow.end()
    this.log.dropBefore(this.log.next)
  }

  /** Writes pending frames to every live member: the same bytes for all members of a framing, in one write each. */
  flush(): void {
    if (this.#flushed === this.log.next || this.#ended) return
    try {
      this.#flush()
    } catch (error) {
      this.fail(error)
    }
  }

  #flush(): void {
    const from = this.#flushed
    const next = this.log.next
    this.#flushed = next
    const bytesOf = new FlushBytes((framing) => this.log.read(from, next, Number.POSITIVE_INFINITY, framing).bytes)
    let delivered = 0
    let written = 0
    for (const member of this.#members) {
      if (member.state === LIVE) {
        const bytes = bytesOf.framed(member.framing.results)
        member.deliver(bytes, next, 'flush')
        delivered++
        written += bytes.length
      } else member.wake()
    }
    this.#age.flushed(delivered)
    this.work.frames += next - from
    this.sent(written)
    this.shared.stats.deliveries += (next - from) * delivered
  }

  /** What its members were told is void. */
  #startOver(begin: (host: ReplayHost) => MemberReplay): void {
    this.flush()
    for (const member of this.#members) this.shared.faults.contain('client', () => member.startOver(begin))
  }

  /**
   * Called once a second. Closes stalled streams, and drops frames older than `seconds`, except those that a member has
   * still to read. Later readers take them from the window.
   * @returns false: no sweep is needed until something changes.
   */
  sweep(now: number, seconds: number): boolean {
    let oldest = this.#flushed
    let isSettled = true
    for (const member of this.#members) {
      const { state } = member
      if (state === LIVE) continue
      isSettled = false
      const fullSince = fullSinceOf(state)
      if (fullSince !== 0 && fullSince < now - this.shared.writeStallMs) member.end('stalled')
      else member.sweep(now)
      oldest = Math.min(oldest, member.lagsAt ?? oldest)
    }
    this.#marks.push(this.log.next)
    if (this.#marks.length > seconds) this.log.dropBefore(Math.min(oldest, this.#marks.shift() as number))
    return !isSettled || this.log.first < this.log.next
  }

  /** Lagging members that had to read the oldest frame become replaying. Members at the head are flushed first. */
  dropOldest(): void {
    if (this.#flushed === this.log.first) this.flush()
    this.log.dropBefore(this.log.first + 1)
  }

  gapJson(gaps: readonly Gap[]): Buffer {
    return this.renderer.renderError(gapError(gaps))
  }
}
