import type { Logger } from 'pino'
import { Faults, logError } from '../faults.ts'
import { RateLimit } from '../rate-limit.ts'
import type { Feed } from '../streams/feed.ts'
import type { Position } from '../streams/position.ts'
import type { Topic } from '../streams/topic.ts'
import { Compiler } from './compiler.ts'
import { FlushTimer } from './flush-timer.ts'
import { BY_ID, IN_EXTENSIONS, openingBlock, retryBlock } from './frame.ts'
import { FrameBudget } from './frame-log.ts'
import { Group } from './group.ts'
import { HistoryCache } from './history.ts'
import type { BoundStream, Operation } from './operation.ts'
import { Renderer } from './renderer.ts'
import type { Replay } from './replay.ts'
import { ResolverErrors } from './resolver-errors.ts'
import { plannedRetryMs, RETRY_MAX_MS, retryMs } from './retry.ts'
import { Seats } from './seats.ts'
import { Sliced } from './sliced.ts'
import type { CloseReason, Outlet, Subscriber } from './subscriber.ts'
import { Turns } from './turns.ts'

/** For the frame logs of all groups together: some 200,000 frames of 300 bytes. */
const FRAME_LOG_BYTES = 64 * 1024 * 1024
const SWEEP_MS = 1_000
/** A group without members waits for them as long as the longest `retry:` says, and a little for the way. */
const LINGER_MS = RETRY_MAX_MS + 1_000
/** Groups that wait at once; the longest waiting make room. */
const MAX_LINGERING = 500
/** One client that missed much takes no more of a core than this: some tenth of it, where bodies have to be rendered. */
const REPLAY_EVENTS_PER_SECOND = 50_000
/** Replays of a topic that have a page of its log in hand at once: each is some MiB, once it is decoded. */
const MAX_LOG_READERS = 16
/** Heartbeats of all members are spread over this many moments of an interval. */
const HEARTBEAT_SLOTS = 32
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

export interface EngineStats {
  /** Events executed, once for each group that they match. */
  executions: number
  /** Results serialized. */
  bodies: number
  /** Operations compiled. */
  compiled: number
  /** Bodies made into frames, once for each group. */
  frames: number
  /** Frames given to subscribers. */
  deliveries: number
  writes: number
  bytes: number
  flushes: number
  closes: Partial<Record<CloseReason, number>>
  /** Groups that could not go on. */
  failedGroups: number
  /** Streams that started in the past; those of them that needed the log; members that fell off their frame log. */
  readonly replays: { started: number; log: number; fellBehind: number }
  replayedEvents: number
  /** Gaps told, to each client. */
  gaps: number
  /** What all replays together waited for their first turn, in milliseconds. */
  replayWaitMs: number
}

/** The groups of this process: who asks the same thing joins the same group. */
export class Engine {
  readonly log: Logger
  readonly faults: Faults
  readonly errors: ResolverErrors
  readonly budget = new FrameBudget(FRAME_LOG_BYTES)
  readonly stats: EngineStats = {
    executions: 0,
    bodies: 0,
    compiled: 0,
    frames: 0,
    deliveries: 0,
    writes: 0,
    bytes: 0,
    flushes: 0,
    closes: {},
    failedGroups: 0,
    replays: { started: 0, log: 0, fellBehind: 0 },
    replayedEvents: 0,
    gaps: 0,
    replayWaitMs: 0,
  }
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
  /** Groups that have something to be swept: frames, or members that may be stuck. Idle groups cost nothing. */
  readonly #unswept = new Set<Group>()
  readonly #sweeps = new Sliced<Group>(
    (group) => this.#sweepGroup(group),
    (group, error) => group.fail(error),
  )
  readonly #beats = new Sliced<Subscriber>(
    (member) => member.group.heartbeat(member),
    (member, error) => (member.replay ? member.group.clientFailed(member, error) : member.group.fail(error)),
  )
  readonly #failedLog = new RateLimit(FAILED_LOG_MS)
  readonly #slots: readonly Set<Subscriber>[] = Array.from({ length: HEARTBEAT_SLOTS }, () => new Set())
  readonly #intervals: readonly NodeJS.Timeout[]
  #joined = 0
  #beat = 0

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
    const every = (ms: number, act: () => void) => setInterval(() => this.faults.contain('flush', act), ms)
    this.#intervals = [
      every(options.heartbeatMs / HEARTBEAT_SLOTS, () => this.#heartbeat()),
      every(SWEEP_MS, () => this.#sweep()),
    ]
  }

  get groups(): number {
    return this.#groups.size
  }

  get subscribers(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.size, 0)
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
      member.slot = this.#joined++ % HEARTBEAT_SLOTS
      this.#slots[member.slot]?.add(member)
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
    this.#unswept.add(group)
  }

  /** A group cannot go on, and ends. */
  failed(group: Group, error: unknown, at: object): void {
    this.stats.failedGroups++
    const topic = group.feed.topic.name
    this.#failedLog.tell((unlogged) => logError(this.log, error, { topic, ...at, unlogged }, 'A group failed'), topic)
  }

  left(member: Subscriber, reason: CloseReason): void {
    this.countClose(reason)
    this.#slots[member.slot]?.delete(member)
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
    this.#unswept.delete(group)
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
    for (const interval of this.#intervals) clearInterval(interval)
    this.#timer.stop()
    this.#sweeps.stop()
    this.#beats.stop()
    this.replays.stop()
    this.#compiler.close()
    this.#flush()
    const { faults } = this
    for (const slot of this.#slots)
      for (const member of slot) faults.contain('client', () => member.end('shutdown', retryBlock(plannedRetryMs())))
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

  #heartbeat(): void {
    this.#beats.add(this.#slots[this.#beat++ % HEARTBEAT_SLOTS] as Set<Subscriber>)
  }

  /** Closes streams that are stuck, and ends groups that nobody came back to. */
  #sweep(): void {
    this.#sweeps.add(this.#unswept)
    const now = performance.now()
    for (const group of this.#lingering) {
      if (group.emptySince >= now - LINGER_MS) break
      this.faults.contain('flush', () => group.end())
    }
  }

  #sweepGroup(group: Group): void {
    if (!group.sweep(performance.now(), LINGER_MS / SWEEP_MS)) this.#unswept.delete(group)
  }

  #flush(): void {
    this.stats.flushes++
    for (const group of this.#dirty) {
      group.flush()
      if (!group.ended) this.#unswept.add(group)
    }
    this.#dirty.clear()
  }
}

function positionOf(group: Group, start: Start): Position {
  if ('after' in start) return group.feed.startAfter(start.after)
  return 'last' in start ? group.startLast(start.last) : start.position
}
