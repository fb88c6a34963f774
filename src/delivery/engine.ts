import type { Logger } from 'pino'
import { Faults, logError } from '../faults.ts'
import { RateLimit } from '../rate-limit.ts'
import type { Feed } from '../streams/feed.ts'
import type { Position } from '../streams/position.ts'
import type { Topic } from '../streams/topic.ts'
import { Compiler } from './compiler.ts'
import { newStats } from './engine-stats.ts'
import { FlushTimer } from './flush-timer.ts'
import { BY_ID, IN_EXTENSIONS, openingBlock, retryBlock } from './frame.ts'
import { FrameBudget } from './frame-log.ts'
import { Group } from './group.ts'
import { HistoryCache } from './history.ts'
import type { BoundStream, Operation } from './operation.ts'
import { Renderer } from './renderer.ts'
import type { Replay } from './replay.ts'
import { ResolverErrors } from './resolver-errors.ts'
import { plannedRetryMs, retryMs } from './retry.ts'
import { Seats } from './seats.ts'
import type { CloseReason, Outlet, Subscriber } from './subscriber.ts'
import { Turns } from './turns.ts'
import { LINGER_MS, Upkeep } from './upkeep.ts'

/** For the frame logs of all groups together: some 200,000 frames of 300 bytes. */
const FRAME_LOG_BYTES = 64 * 1024 * 1024
/** Groups that wait at once; the longest waiting make room. */
const MAX_LINGERING = 500
/** One client that missed much takes no more of a core than this: some tenth of it, where bodies have to be rendered. */
const REPLAY_EVENTS_PER_SECOND = 50_000
/** Replays of a topic that have a page of its log in hand at once: each is some MiB, once it is decoded. */
const MAX_LOG_READERS = 16
/** A group that fails again as soon as its clients are back says so once in a while. */
const FAILED_LOG_MS = 10_000

export interface EngineOptions {
  readonly feed: <V>(topic: Topic<V>) => Feed<V>
  readonly heartbeatMs: number
  /** Events of the past a second that one client gets. */
  readonly replayEventsPerSecond?: number
  readonly log: Logger
  readonly faults?: Faults
  readonly errors?: ResolverErrors
}

/** Where a subscription starts. */
export type Start =
  /** After what a cursor names. */
  | { readonly after: string }
  /** With the newest matching events that are in the window. */
  | { readonly last: number }
  | { readonly position: Position }

export interface SubscribeOptions {
  /** Now, if absent. */
  readonly start?: Start | undefined
  /** The position is wanted in each result's `extensions`. */
  readonly cursor?: boolean
  /** A result is wanted that tells where the past ends. */
  readonly markers?: boolean
}

/** The groups of this process: who asks the same thing joins the same group. */
export class Engine {
  readonly log: Logger
  readonly faults: Faults
  readonly errors: ResolverErrors
  readonly budget = new FrameBudget(FRAME_LOG_BYTES)
  readonly stats = newStats()
  readonly history = new HistoryCache()
  readonly replays: Turns<Replay>
  readonly #logSeats = new Map<Feed, Seats<Replay>>()
  readonly maxReplayRate: number
  /** Members that wait for their outlets: counted by their groups. */
  lagging = 0
  readonly #options: EngineOptions
  readonly #groups = new Set<Group>()
  readonly #byKey = new Map<string, Group>()
  readonly #dirty = new Set<Group>()
  /** Groups without members, the longest waiting first. */
  readonly #lingering = new Set<Group>()
  readonly #renderers = new Map<string, Renderer>()
  readonly #compiler: Compiler
  readonly #timer: FlushTimer
  readonly #upkeep: Upkeep
  readonly #failedLog = new RateLimit(FAILED_LOG_MS)

  constructor(options: EngineOptions) {
    this.#options = options
    this.log = options.log
    this.maxReplayRate = options.replayEventsPerSecond ?? REPLAY_EVENTS_PER_SECOND
    this.faults = options.faults ?? new Faults(options.log)
    this.errors = options.errors ?? new ResolverErrors(options.log)
    this.#compiler = new Compiler(this.stats, this.faults)
    this.replays = new Turns((error) => this.faults.tell('replay', error))
    this.#timer = new FlushTimer(
      () => this.#flush(),
      (error) => this.faults.tell('flush', error),
    )
    this.#upkeep = new Upkeep(options.heartbeatMs, this.faults, () => this.#endLingering())
  }

  get groups(): number {
    return this.#groups.size
  }

  get subscribers(): number {
    return this.#upkeep.members
  }

  /**
   * Joins the group of an operation, or makes it, and writes the stream's first block. The outlet is opened when
   * nothing can go wrong any more; undefined, where its client has gone, or is to come back.
   * @throws SluiceError `CURSOR_INVALID`, or if the field's `where` asks for too much.
   */
  subscribe(
    operation: Operation,
    stream: BoundStream,
    open: () => Outlet | undefined,
    { start, cursor = false, markers = false }: SubscribeOptions = {},
  ): Subscriber | undefined {
    const group = this.#groupOf(operation, stream, cursor)
    let outlet: Outlet | undefined
    let position: Position | undefined
    try {
      position = start && positionOf(group, start)
      outlet = open()
    } finally {
      if (!outlet) group.endIfEmpty()
    }
    if (!outlet) return undefined
    this.#lingering.delete(group)
    if (position) this.stats.replays.started++
    // What a client came with is said again until it has been told what became of it.
    const named = start && 'after' in start ? start.after : undefined
    const opening = (at: string) => openingBlock(retryMs(), named ?? at)
    let member: Subscriber | undefined
    try {
      member = group.join(outlet, opening, { position, hasMarker: markers })
      // Its outlet failed, or was gone, at the first write.
      if (member.closed) return undefined
      this.#upkeep.add(member)
      outlet.attach(member)
      return member
    } catch (error) {
      // The head of its stream has been sent, so that nothing else can be answered: its client is to come back.
      this.faults.tell('client', error, { topic: group.feed.topic.name })
      member?.fail()
      return undefined
    }
  }

  /** Who reads pages of a topic's log takes one of its seats first, and is given its turn when it has got one. */
  logSeatsOf(feed: Feed): Seats<Replay> {
    let seats = this.#logSeats.get(feed)
    if (!seats) {
      const failed = (error: unknown) => this.faults.tell('replay', error)
      seats = new Seats(MAX_LOG_READERS, (replay) => this.replays.add(replay), failed)
      this.#logSeats.set(feed, seats)
    }
    return seats
  }

  /** Replays that wait for their turn, or for a seat. */
  get replaysWaiting(): number {
    let waiting = this.replays.length
    for (const seats of this.#logSeats.values()) waiting += seats.waiting
    return waiting
  }

  /** A group has a new frame. */
  appended(group: Group): void {
    this.stats.frames++
    this.#dirty.add(group)
    this.#timer.schedule()
  }

  /** A group has something that its sweep is to look at. */
  sweepLater(group: Group): void {
    this.#upkeep.sweepLater(group)
  }

  /** A group cannot go on, and ends. */
  failed(group: Group, error: unknown, at: object): void {
    this.stats.failedGroups++
    const topic = group.feed.topic.name
    this.#failedLog.tell((unlogged) => logError(this.log, error, { topic, ...at, unlogged }, 'A group failed'), topic)
  }

  left(member: Subscriber, reason: CloseReason): void {
    this.countClose(reason)
    this.#upkeep.remove(member)
  }

  /** Of any stream, also of those that the engine does not know. */
  countClose(reason: CloseReason): void {
    this.stats.closes[reason] = (this.stats.closes[reason] ?? 0) + 1
  }

  /** A group has lost its last member, and waits for others. Nobody could find one without a key. */
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
    this.#upkeep.ended(group)
    this.#lingering.delete(group)
    if (group.key !== undefined && this.#byKey.get(group.key) === group) this.#byKey.delete(group.key)
    const { renderer } = group
    if (--renderer.users > 0) return
    this.#compiler.forget(renderer)
    if (renderer.key !== undefined && this.#renderers.get(renderer.key) === renderer)
      this.#renderers.delete(renderer.key)
  }

  /** Ends what streams there are, telling each client when to come back, and all work. */
  close(): void {
    this.#timer.stop()
    this.#upkeep.stop()
    this.replays.stop()
    this.#compiler.close()
    this.#flush()
    const { faults } = this
    for (const member of this.#upkeep)
      faults.contain('client', () => member.end('shutdown', retryBlock(plannedRetryMs())))
    for (const group of this.#groups) faults.contain('flush', () => group.end())
  }

  #groupOf(operation: Operation, stream: BoundStream, cursor: boolean): Group {
    const key = cursor && operation.key !== undefined ? `${operation.key}\ncursor` : operation.key
    const known = key === undefined ? undefined : this.#byKey.get(key)
    if (known) return known
    const feed = this.#options.feed(stream.field.topic)
    const renderer = this.#rendererOf(operation)
    const style = cursor ? IN_EXTENSIONS : BY_ID
    const group = new Group({ engine: this, feed, stream, renderer, style, key })
    renderer.users++
    if (renderer.key !== undefined) this.#renderers.set(renderer.key, renderer)
    this.#groups.add(group)
    if (key !== undefined) this.#byKey.set(key, group)
    return group
  }

  #rendererOf({ args, bodyKey: key }: Operation): Renderer {
    const known = key === undefined ? undefined : this.#renderers.get(key)
    return known ?? new Renderer({ args, key, compiler: this.#compiler, stats: this.stats, errors: this.errors })
  }

  /** Ends groups that nobody came back to. */
  #endLingering(): void {
    const now = performance.now()
    for (const group of this.#lingering) {
      if (group.emptySince >= now - LINGER_MS) break
      this.faults.contain('flush', () => group.end())
    }
  }

  #flush(): void {
    this.stats.flushes++
    for (const group of this.#dirty) {
      group.flush()
      if (!group.ended) this.#upkeep.sweepLater(group)
    }
    this.#dirty.clear()
  }
}

function positionOf(group: Group, start: Start): Position {
  if ('after' in start) return group.feed.startAfter(start.after)
  return 'last' in start ? group.startLast(start.last) : start.position
}
