import type { Logger } from 'pino'
import type { Feed } from '../streams/feed.ts'
import type { Position } from '../streams/position.ts'
import type { Topic } from '../streams/topic.ts'
import { Compiler } from './compiler.ts'
import { FlushTimer } from './flush-timer.ts'
import { BY_ID, IN_EXTENSIONS, openingBlock, retryBlock } from './frame.ts'
import { FrameBudget } from './frame-log.ts'
import { Group } from './group.ts'
import { HeldOperations } from './held-operations.ts'
import { HistoryCache } from './history.ts'
import type { BoundStream, Operation } from './operation.ts'
import { Renderer } from './renderer.ts'
import type { Replay } from './replay.ts'
import { plannedRetryMs, RETRY_MAX_MS, retryMs } from './retry.ts'
import { Seats } from './seats.ts'
import { type CloseReason, type Outlet, type Subscriber, WRITE_STALL_MS } from './subscriber.ts'
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

export interface EngineOptions {
  readonly feed: <V>(topic: Topic<V>) => Feed<V>
  readonly heartbeatMs: number
  /** Events of the past a second that one client gets. */
  readonly replayEventsPerSecond?: number
  readonly log: Logger
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
    replays: { started: 0, log: 0, fellBehind: 0 },
    replayedEvents: 0,
    gaps: 0,
    replayWaitMs: 0,
  }
  /** What the groups' operations take. */
  readonly held = new HeldOperations()
  readonly history = new HistoryCache()
  readonly replays = new Turns<Replay>()
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
  readonly #timer = new FlushTimer(() => this.#flush())
  readonly #slots: readonly Set<Subscriber>[] = Array.from({ length: HEARTBEAT_SLOTS }, () => new Set())
  readonly #intervals: readonly NodeJS.Timeout[]
  #joined = 0
  #beat = 0

  constructor(options: EngineOptions) {
    this.#options = options
    this.log = options.log
    this.maxReplayRate = options.replayEventsPerSecond ?? REPLAY_EVENTS_PER_SECOND
    this.#compiler = new Compiler(this.stats, options.log)
    this.#intervals = [
      setInterval(() => this.#heartbeat(), options.heartbeatMs / HEARTBEAT_SLOTS),
      setInterval(() => this.#sweep(), SWEEP_MS),
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
   * nothing can go wrong any more; undefined, where its client has gone.
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
    const member = group.join(outlet, opening, { position, hasMarker: markers })
    member.slot = this.#joined++ % HEARTBEAT_SLOTS
    this.#slots[member.slot]?.add(member)
    outlet.attach(member)
    return member
  }

  /** Who reads pages of a topic's log takes one of its seats first, and is given its turn when it has got one. */
  logSeatsOf(feed: Feed): Seats<Replay> {
    let seats = this.#logSeats.get(feed)
    if (!seats) {
      seats = new Seats(MAX_LOG_READERS, (replay) => this.replays.add(replay))
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
    this.#lingering.delete(group)
    this.held.release(group)
    if (group.key !== undefined && this.#byKey.get(group.key) === group) this.#byKey.delete(group.key)
    const { renderer } = group
    if (--renderer.users > 0) return
    this.#compiler.forget(renderer)
    this.held.release(renderer)
    if (renderer.key !== undefined && this.#renderers.get(renderer.key) === renderer)
      this.#renderers.delete(renderer.key)
  }

  /** Ends what streams there are, telling each client when to come back, and all work. */
  close(): void {
    for (const interval of this.#intervals) clearInterval(interval)
    this.#timer.stop()
    this.replays.stop()
    this.#compiler.close()
    this.#flush()
    for (const slot of this.#slots) for (const member of slot) member.end('shutdown', retryBlock(plannedRetryMs()))
    for (const group of this.#groups) group.end()
  }

  #groupOf(operation: Operation, stream: BoundStream, cursor: boolean): Group {
    const key = cursor && operation.key !== undefined ? `${operation.key}\ncursor` : operation.key
    const known = key === undefined ? undefined : this.#byKey.get(key)
    if (known) return known
    this.demandMemory(operation)
    const feed = this.#options.feed(stream.field.topic)
    const renderer = this.#rendererOf(operation)
    const style = cursor ? IN_EXTENSIONS : BY_ID
    const group = new Group({ engine: this, feed, stream, renderer, style, key })
    this.held.hold(group, operation.weight.own)
    if (renderer.users++ === 0) this.held.hold(renderer, 0, renderer.args.document, renderer.weight.document)
    if (renderer.key !== undefined) this.#renderers.set(renderer.key, renderer)
    this.#groups.add(group)
    if (key !== undefined) this.#byKey.set(key, group)
    return group
  }

  /** @throws SluiceError `TOO_MANY_STREAMS` where an operation has no room beside those of open subscriptions. */
  demandMemory(operation: Operation): void {
    this.held.demandRoom(operation, this.#lingering)
  }

  #rendererOf({ args, weight, bodyKey: key }: Operation): Renderer {
    const known = key === undefined ? undefined : this.#renderers.get(key)
    return known ?? new Renderer({ args, weight, key, compiler: this.#compiler, stats: this.stats, log: this.log })
  }

  #heartbeat(): void {
    const slot = this.#slots[this.#beat++ % HEARTBEAT_SLOTS] as Set<Subscriber>
    for (const member of slot) member.group.heartbeat(member)
  }

  /** Closes streams that are stuck, and ends groups that nobody came back to. */
  #sweep(): void {
    const now = performance.now()
    for (const group of this.#groups) {
      for (const member of group.stuck()) if (member.fullSince < now - WRITE_STALL_MS) member.cut('stalled')
      group.sweep(now, LINGER_MS / SWEEP_MS)
    }
    for (const group of this.#lingering) if (group.emptySince < now - LINGER_MS) group.end()
  }

  #flush(): void {
    this.stats.flushes++
    for (const group of this.#dirty) group.flush()
    this.#dirty.clear()
  }
}

function positionOf(group: Group, start: Start): Position {
  if ('after' in start) return group.feed.startAfter(start.after)
  return 'last' in start ? group.startLast(start.last) : start.position
}
