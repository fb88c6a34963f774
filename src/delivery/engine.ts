import { Faults, logError } from '../errors/faults.ts'
import { RateLimit } from '../errors/rate-limit.ts'
import { ResolverErrors } from '../errors/resolver-errors.ts'
import { RETRY_MAX_MS } from '../errors/retry-hints.ts'
import type { Framing } from '../protocol/framing.ts'
import type { Position } from '../streams/feed/position.ts'
import type { Table } from '../streams/table/table.ts'
import type { EngineOptions, PrepareOptions, Start } from './engine-options.ts'
import { FlushTimer } from './group/flush-timer.ts'
import { Group, type GroupHost } from './group/group.ts'
import { GroupLimit } from './group/group-limit.ts'
import { Heartbeats } from './group/heartbeats.ts'
import { Sliced } from './group/sliced.ts'
import type { Subscriber } from './group/subscriber.ts'
import { HeldOperations } from './operation/held-operations.ts'
import type { BoundStream, Operation } from './operation/operation.ts'
import type { ClientShare, CloseReason, Outlet } from './outlet.ts'
import { type Prepared, prepared } from './prepared.ts'
import { Compiler } from './render/compiler.ts'
import { Renderer } from './render/renderer.ts'
import type { Beginning } from './replay/flow.ts'
import { Shared } from './replay/shared.ts'

const SWEEP_MS = 1_000
/**
 * Linger time of a group without members: the longest reconnection delay of a client (`retry:`), and a second of
 * margin.
 */
const LINGER_MS = RETRY_MAX_MS + 1_000
/** Limit of lingering groups. Beyond it the oldest ends. */
const MAX_LINGERING = 500
/** Rate limit of log lines about failed groups: a group may fail again as soon as its clients have reconnected. */
const FAILED_LOG_MS = 10_000

export type { EngineOptions, PrepareOptions, Start }

/** The groups of this process. Equal operations share a group. */
export class Engine implements GroupHost {
  readonly shared: Shared
  /** Memory of the groups' operations. */
  readonly held = new HeldOperations()
  readonly groupLimit: GroupLimit<Group>
  /** Compiles an operation before its first event. False: it is compiled once it is busy, as others are. */
  readonly compileAhead = (operation: Operation): boolean => this.#compiler.ahead(operation)
  readonly #options: EngineOptions
  readonly #groups = new Set<Group>()
  readonly #byKey = new Map<string, Group>()
  readonly #dirty = new Set<Group>()
  /** Groups to be swept: they have frames to expire, or members that are not live. */
  readonly #unsettled = new Set<Group>()
  readonly #sweeps = new Sliced<Group>(
    (group) => this.#sweepGroup(group),
    (group, error) => group.fail(error),
  )
  readonly #failedLog = new RateLimit(FAILED_LOG_MS)
  /** Groups without members, the oldest first. */
  readonly #lingering = new Set<Group>()
  readonly #renderers = new Map<string, Renderer>()
  readonly #compiler: Compiler
  readonly #timer: FlushTimer
  readonly #members: Heartbeats<Subscriber>
  readonly #sweeper: NodeJS.Timeout

  constructor(options: EngineOptions) {
    this.#options = options
    const { log, heartbeatMs, faults = new Faults(log), errors = new ResolverErrors(log) } = options
    this.shared = new Shared(faults, errors, options.replayEventsPerSecond, options.writeStallMs)
    this.groupLimit = new GroupLimit(options.maxGroups)
    this.#compiler = new Compiler(this.stats, faults)
    this.#timer = new FlushTimer(
      () => this.#flush(),
      (error) => faults.tell('flush', error),
    )
    this.#members = new Heartbeats(heartbeatMs)
    this.#sweeper = setInterval(() => faults.contain('flush', () => this.#sweep()), SWEEP_MS)
  }

  get stats(): Shared['stats'] {
    return this.shared.stats
  }

  get groups(): number {
    return this.#groups.size
  }

  /** All groups, in the order in which they were created. */
  [Symbol.iterator](): Iterator<Group> {
    return this.#groups.values()
  }

  find(key: string): Group | undefined {
    return this.#byKey.get(key)
  }

  get subscribers(): number {
    return this.#members.size
  }

  /**
   * Finds or creates the group of an operation, and resolves the start position.
   * @throws SluiceError `CURSOR_INVALID`, `RATE_LIMITED` where there are too many groups, or if the field's `where` has
   * too many combinations.
   */
  prepare(operation: Operation, stream: BoundStream, options: PrepareOptions = {}): Prepared {
    const { start, hasMarker = false, share } = options
    const group = this.#groupOf(operation, stream, share)
    let position: Position | undefined
    try {
      position = start && positionOf(group, start)
    } catch (error) {
      group.endIfEmpty()
      throw error
    }
    // The client's cursor is repeated to it until its first result or gap replaces it.
    const named = start && 'after' in start ? start.after : undefined
    return prepared(
      (outlet, framing) => this.#join(group, outlet, framing, { position, named, hasMarker }),
      () => group.endIfEmpty(),
    )
  }

  appended(group: Group): void {
    this.stats.frames++
    this.#dirty.add(group)
    this.#timer.schedule()
  }

  unsettled(group: Group): void {
    this.#unsettled.add(group)
  }

  failed(group: Group, error: unknown, at: object): void {
    this.stats.failedGroups++
    const topic = group.feed.topic.name
    const { log } = this.#options
    this.#failedLog.tell((unlogged) => logError(log, error, { topic, ...at, unlogged }, 'A group failed'), topic)
  }

  left(member: Subscriber, reason: CloseReason): void {
    this.countClose(reason)
    this.#members.remove(member)
  }

  /** Counts the end of any stream, also of those that the engine does not know. */
  countClose(reason: CloseReason): void {
    this.stats.closes[reason] = (this.stats.closes[reason] ?? 0) + 1
  }

  /** A group without a key is never found again: it ends at once. */
  lingers(group: Group): void {
    this.#lingering.delete(group)
    this.#lingering.add(group)
    const [longest] = this.#lingering
    if (group.key === undefined) group.end()
    else if (this.#lingering.size > MAX_LINGERING) longest?.end()
  }

  ended(group: Group): void {
    this.#groups.delete(group)
    this.#dirty.delete(group)
    this.#unsettled.delete(group)
    this.#lingering.delete(group)
    this.held.release(group)
    this.groupLimit.ended(group)
    this.shared.operations.release(group.work)
    if (group.key !== undefined && this.#byKey.get(group.key) === group) this.#byKey.delete(group.key)
    const { renderer } = group
    if (--renderer.users > 0) return
    this.#compiler.forget(renderer)
    this.held.release(renderer)
    this.shared.operations.release(renderer.work)
    if (renderer.key !== undefined && this.#renderers.get(renderer.key) === renderer)
      this.#renderers.delete(renderer.key)
  }

  /** Ends all streams, each with a reconnection delay, and stops all work. */
  close(): void {
    this.#members.stop()
    clearInterval(this.#sweeper)
    this.#sweeps.stop()
    this.#timer.stop()
    this.shared.replays.stop()
    this.shared.throttles.wheel.stop()
    this.#compiler.close()
    this.#flush()
    const { faults } = this.shared
    for (const member of this.#members) faults.contain('client', () => member.end('shutdown'))
    for (const group of this.#groups) faults.contain('flush', () => group.end())
  }

  #join(group: Group, outlet: Outlet, framing: Framing, beginning: Beginning): void {
    this.#lingering.delete(group)
    if (beginning.position) this.stats.replays.started++
    let member: Subscriber | undefined
    try {
      member = group.join(outlet, framing, beginning)
      // The outlet failed, or was closed, at the first write.
      if (member.isClosed) return
      this.#members.add(member)
      outlet.attach(member)
    } catch (error) {
      // The response head has been sent, so that no error response is possible: the client has to reconnect.
      this.shared.faults.tell('client', error, { topic: group.feed.topic.name })
      member?.fail()
    }
  }

  #groupOf(operation: Operation, stream: BoundStream, share: ClientShare | undefined): Group {
    const { key } = operation
    const known = key === undefined ? undefined : this.#byKey.get(key)
    if (known) return known
    this.groupLimit.demandRoom(() => this.#groups.size, this.#lingering, share)
    this.demandMemory(operation)
    const feed = this.#options.feed(stream.field.topic)
    const renderer = this.#rendererOf(operation)
    const { shared } = this
    const work = shared.operations.of(operation.args.operation)
    const group = new Group({ host: this, shared, feed, table: this.#tableOf(stream), stream, renderer, work, key })
    this.held.hold(group, operation.weight.own)
    shared.operations.take(work)
    if (renderer.users++ === 0) this.#hold(renderer)
    if (renderer.key !== undefined) this.#renderers.set(renderer.key, renderer)
    this.#groups.add(group)
    this.groupLimit.created(group, share)
    if (key !== undefined) this.#byKey.set(key, group)
    return group
  }

  /**
   * Ends lingering groups, the oldest first, until the operation fits.
   * @throws SluiceError `TOO_MANY_STREAMS` where it does not fit beside the operations of open subscriptions.
   */
  demandMemory(operation: Operation): void {
    this.held.demandRoom(operation, this.#lingering)
  }

  #hold(renderer: Renderer): void {
    this.held.hold(renderer, 0, renderer.args.document, renderer.weight.document)
    this.shared.operations.take(renderer.work)
  }

  #tableOf({ field }: BoundStream): Table | undefined {
    if (!field.isTable) return undefined
    const table = this.#options.table?.(field.topic)
    if (!table) throw new TypeError(`The engine has no table of the topic "${field.topic.name}"`)
    return table
  }

  #rendererOf(operation: Operation): Renderer {
    const { args, weight, bodyKey: key } = operation
    const known = key === undefined ? undefined : this.#renderers.get(key)
    if (known) return known
    const { stats, errors, operations } = this.shared
    const work = operations.of(args.operation)
    const { times } = this.#options
    return new Renderer({ args, weight, key, compiler: this.#compiler, stats, errors, times, work })
  }

  /** Closes stalled streams, expires frames, and ends groups that have lingered too long. */
  #sweep(): void {
    this.#options.times?.refill()
    this.shared.ages.refresh()
    this.#sweeps.add(this.#unsettled)
    const now = performance.now()
    for (const group of this.#lingering) {
      if (group.emptySince >= now - LINGER_MS) break
      this.shared.faults.contain('flush', () => group.end())
    }
  }

  #sweepGroup(group: Group): void {
    if (!group.sweep(performance.now(), LINGER_MS / SWEEP_MS)) this.#unsettled.delete(group)
  }

  #flush(): void {
    this.stats.flushes++
    for (const group of this.#dirty) {
      group.flush()
      // The sweep expires its frames some seconds later.
      if (this.#groups.has(group)) this.#unsettled.add(group)
    }
    this.#dirty.clear()
  }
}

function positionOf(group: Group, start: Start): Position {
  if ('position' in start) return start.position
  const position = group.feed.startAfter(start.after)
  return start.floor ? position.notBefore(start.floor) : position
}
