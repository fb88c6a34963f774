import type { Start } from '../../src/delivery/engine.ts'
import { positionSince } from '../../src/schema/start-position.ts'
import { storedTimestamp } from '../../src/streams/cursor/cursor.ts'
import type { Vector } from '../../src/streams/cursor/vector.ts'
import type { OutgoingRecord } from '../../src/streams/source/port.ts'
import { STAMP_NAMES, STAMPS, type StampName } from '../kit/stamps.ts'
import type { Statistics } from '../kit/statistics.ts'
import { ASKED, type AskedName, type Gate, Instance, LaggingSource, Pipe } from '../kit/two-instances.ts'
import { Client } from './client.ts'
import type { Clock } from './clock.ts'
import { LogHistory } from './history.ts'
import type { TestLog } from './log.ts'

export interface WorldOptions {
  readonly partitions: number
  readonly windowBytes: number
  readonly frameBytes: number
  /** What throttles may hold; undefined: more than they need. */
  readonly throttleBytes?: number | undefined
  readonly replayEventsPerSecond: number
  /** Whether the log has an identity of its own, as the embedded one has; Kafka's is known by its events. */
  readonly hasEpoch: boolean
  readonly cursorVersion: number
  /** Records of each partition that were there, and gone, before anything else: so that pages end among what is read. */
  readonly before: number
}

/** What a world stands on. */
export interface Around {
  readonly clock: Clock
  readonly openLog: (partitions: number) => Promise<TestLog>
  readonly gate: Gate
  readonly statistics: Statistics
  /** Whether the log may hold such timestamps. */
  readonly takesStamp: (name: StampName) => boolean
}

export interface ClientPlan {
  readonly asked: AskedName
  readonly cursor: boolean
  readonly markers: boolean
  readonly start: 'now' | 'last' | 'since'
}

interface Place {
  source: LaggingSource
  instance: Instance
}

interface Session {
  readonly client: Client
  readonly plan: ClientPlan
  pipe: Pipe | undefined
  at: number
  /** Takes nothing for now. */
  isStalled: boolean
}

/** Longer than what is beyond the end is waited for, and than the next check. */
const BEYOND_MS = 7000
const MAX_ROUNDS = 40
export const COLORS = ['red', 'blue'] as const
export const CASES = [
  'events',
  'poison',
  'came to the same instance',
  'came to the other instance',
  'instance behind the cursor',
  'instance ahead of it',
  'behind and ahead at once in different partitions',
  'stalled',
  'drained',
  'cut in mid-frame',
  'window overflowed',
  'read from the log',
  'fell off the frames',
  'new partition',
  'unknown to the instance',
  'retention',
  'truncation',
  'log replaced',
  'instance restarted',
  'gap told: retention',
  'gap told: truncation',
  'gap told at resume',
  'gap told in mid-stream',
  'caught up',
  'by extensions',
  'asynchronous',
  'from the last',
  'since a moment',
  'group came back',
  'throttled',
  'came back to what is held',
  'left out by a throttle',
  'out early',
  ...STAMP_NAMES,
] as const

/** One log, two instances that read it each at its pace, and clients that go from one to the other. */
export class World {
  readonly history = new LogHistory()
  readonly gate: Gate
  readonly sessions: Session[] = []
  /** Why each gap that any client was told of opened. */
  readonly told: string[] = []
  readonly #options: WorldOptions
  readonly #statistics: Statistics
  readonly #places: Place[] = []
  readonly #start = Date.now()
  readonly #around: Around
  #log!: TestLog
  readonly #oldLogs: TestLog[] = []
  #number = 0
  #moment = 0

  constructor(options: WorldOptions, around: Around) {
    this.#options = options
    this.#around = around
    this.gate = around.gate
    this.#statistics = around.statistics
  }

  async begin(plans: readonly ClientPlan[]): Promise<void> {
    const { partitions, before } = this.#options
    this.#log = await this.#around.openLog(partitions)
    for (let p = 0; p < partitions; p++) {
      this.history.addPartition()
      for (let i = 0; i < before; i++) this.history.append(p, this.#start, undefined)
      await this.#append(this.#copyOf(p))
      if (before > 0) await this.retain(p, before)
    }
    for (let at = 0; at < 2; at++) this.#places.push(await this.#startInstance())
    for (const plan of plans) {
      const client = new Client(this.history, { ...plan, asked: ASKED[plan.asked] }, ({ reason }) => {
        this.told.push(reason)
        this.#count(`gap told: ${reason}`)
        this.#count(client.isFresh ? 'gap told at resume' : 'gap told in mid-stream')
      })
      this.sessions.push({ client, plan, pipe: undefined, at: 0, isStalled: false })
    }
  }

  async close(): Promise<void> {
    for (const { instance } of this.#places) await this.#stop(instance)
    for (const log of [...this.#oldLogs, this.#log]) await log.close()
  }

  async produce(partition: number, color: string, isPoison = false, stamp?: StampName): Promise<void> {
    this.#moment++
    const odd = stamp === undefined || !this.#around.takesStamp(stamp) ? undefined : stamp
    const timestamp = odd === undefined ? this.#start + this.#moment : STAMPS[odd]
    if (odd !== undefined) this.#count(odd)
    const paint = isPoison ? undefined : { n: ++this.#number, color }
    this.history.append(partition, timestamp, paint)
    await this.#append([{ key: null, value: JSON.stringify(paint ?? 0), partition, timestamp }])
    this.#count(isPoison ? 'poison' : 'events')
  }

  advance(at: number, partition: number, count: number): Promise<void> {
    return this.#place(at).source.advance(partition, count)
  }

  catchUp(at: number): Promise<void> {
    return this.#place(at).source.catchUp()
  }

  async retain(partition: number, earliest: number): Promise<void> {
    this.history.retain(partition, earliest)
    await this.#log.retain(partition, earliest)
    this.#count('retention')
  }

  async addPartition(): Promise<void> {
    this.history.addPartition()
    await this.#log.grow(this.history.partitions)
    this.#count('new partition')
  }

  /**
   * The log loses its newest records, as by an unclean failover. Instances that were further notice at once, or else
   * when they read next: they must have been further, and the log still be shorter than that.
   */
  async truncate(partition: number, offset: number, isNoticed = true): Promise<void> {
    const { history } = this
    // An instance that had not read as far could not notice.
    if (isNoticed) for (const { source } of this.#places) await source.advance(partition, Number.POSITIVE_INFINITY)
    history.cut(partition, offset)
    this.#oldLogs.push(this.#log)
    this.#log = await this.#around.openLog(history.partitions)
    for (let p = 0; p < history.partitions; p++) {
      await this.#append(this.#copyOf(p))
      const earliest = history.earliest[p] as number
      if (earliest > 0) await this.#log.retain(p, earliest)
    }
    for (const { source } of this.#places) source.moveTo(this.#log.source)
    if (isNoticed) for (const { source } of this.#places) await source.advance(partition, 0)
    this.#count('truncation')
  }

  /** Another log of the same name, as after a restart with the embedded log. */
  async replace(): Promise<void> {
    for (const which of this.sessions.keys()) this.disconnect(which, Number.POSITIVE_INFINITY)
    for (const { instance } of this.#places) await this.#stop(instance)
    await this.#log.close()
    for (let p = 0; p < this.history.partitions; p++) {
      this.history.cut(p, 0)
      this.history.earliest[p] = 0
    }
    this.#log = await this.#around.openLog(this.history.partitions)
    for (let at = 0; at < 2; at++) this.#places[at] = await this.#startInstance()
    this.#count('log replaced')
  }

  async restart(at: number): Promise<void> {
    for (const [which, session] of this.sessions.entries())
      if (session.at === at) this.disconnect(which, Number.POSITIVE_INFINITY)
    await this.#stop(this.#place(at).instance)
    this.#places[at] = await this.#startInstance()
    this.#count('instance restarted')
  }

  /** Comes to an instance where it has no stream: from its position, or for the first time. */
  async connect(which: number, at: number, capacity: number): Promise<void> {
    const session = this.#session(which)
    const { client, plan, pipe: old } = session
    if (old) return
    const { instance } = this.#place(at)
    const { positions, fingerprint } = client.decoded ?? {}
    if (positions) {
      this.#compare(positions, instance.feed.head, session.at === at)
      // Without an epoch only an event that was passed tells one log from another, as long as the log has one there.
      const isUnnoticed = (): boolean => {
        if (this.#options.hasEpoch) return false
        if (!fingerprint || fingerprint.offset < (this.history.earliest[fingerprint.partition] ?? 0)) return true
        const record = this.history.records(fingerprint.partition)[fingerprint.offset]
        if (client.toldCut.has(fingerprint.partition)) return true
        return !record?.paint || storedTimestamp(record.timestamp) === fingerprint.timestamp
      }
      for (let p = 0; p < this.history.partitions; p++)
        client.excuse(p, client.isToBeToldOfCut(p) ? isUnnoticed : () => false)
    }
    const pipe = new Pipe(capacity)
    session.pipe = pipe
    session.at = at
    session.isStalled = false
    client.connected(!positions && plan.start === 'now')
    const start = await this.#startOf(session, instance)
    if (instance.engine.groups > instance.engine.subscribers) this.#count('group came back')
    if (plan.cursor) this.#count('by extensions')
    if (plan.asked === 'later' || plan.asked === 'latestLater') this.#count('asynchronous')
    if (client.asked.throttled) {
      this.#count('throttled')
      if (instance.engine.shared.throttles.groups.used > 0) this.#count('came back to what is held')
    }
    instance.open(client.asked, pipe, { start, cursor: plan.cursor, markers: plan.markers })
  }

  /** The connection goes, and with it the last bytes on their way. */
  disconnect(which: number, lost: number): void {
    const session = this.#session(which)
    const { pipe, client } = session
    if (!pipe) return
    session.pipe = undefined
    const text = pipe.cut(Math.max(0, pipe.size - lost))
    if (!text.endsWith('\n\n') && text !== '') this.#count('cut in mid-frame')
    client.take(text)
  }

  stall(which: number): void {
    const session = this.#session(which)
    if (!session.pipe) return
    session.isStalled = true
    session.pipe.capacity = 1
    this.#count('stalled')
  }

  unstall(which: number, capacity: number): void {
    const session = this.#session(which)
    if (!session.pipe) return
    if (session.isStalled) this.#count('drained')
    session.isStalled = false
    session.pipe.capacity = capacity
  }

  /** Clients take what has come, and this many turns of the event loop pass. */
  async pass(turns: number): Promise<void> {
    this.#takeAll()
    for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      this.#takeAll()
      if (turn % 4 === 3) await this.#around.clock.settle()
    }
  }

  async wait(ms: number): Promise<void> {
    await this.#around.clock.pass(ms)
  }

  /** Everything works again, for long enough. */
  async heal(): Promise<void> {
    this.gate.open()
    for (let round = 0; round < MAX_ROUNDS && (round === 0 || !this.#isAllTold()); round++) {
      for (let at = 0; at < 2; at++) await this.catchUp(at)
      for (const which of this.sessions.keys()) {
        this.unstall(which, Number.POSITIVE_INFINITY)
        await this.connect(which, which % 2, Number.POSITIVE_INFINITY)
      }
      await this.pass(4)
      await this.wait(round < 2 ? BEYOND_MS : this.#around.clock.heartbeatMs)
      await this.pass(4)
    }
  }

  #isAllTold(): boolean {
    return this.sessions.every(({ client, plan }) => {
      const at = client.decoded?.positions
      const isAtEnd = this.history.ends.every((end, p) => at?.[p] === end)
      return isAtEnd && (!plan.markers || client.caughtUp > 0)
    })
  }

  checkComplete(): void {
    for (const { instance } of this.#places) {
      if (instance.engine.shared.lagging !== 0) throw new Error('Somebody still lags')
      this.#countInstance(instance)
    }
    for (const { client, pipe, plan } of this.sessions) {
      if (!pipe) throw new Error('Was closed in good health')
      client.checkComplete()
      const at = client.decoded?.positions
      for (let p = 0; p < this.history.partitions; p++) {
        if (at?.[p] !== this.history.next(p)) throw new Error(`Its position stays at ${p}:${at?.[p]}`)
      }
      if (plan.markers && client.caughtUp !== 1) throw new Error(`Told ${client.caughtUp} times that it caught up`)
      if (!plan.markers && client.caughtUp !== 0) throw new Error('Told that it caught up, unasked')
      this.#count('caught up', client.caughtUp)
    }
  }

  async #startOf({ client, plan }: Session, instance: Instance): Promise<Start | undefined> {
    const { position } = client
    if (position !== undefined) return { after: position }
    if (plan.start === 'last') {
      this.#count('from the last')
      return { position: await instance.feed.findLast(3, ({ value }) => ASKED[plan.asked].matches(value)) }
    }
    if (plan.start === 'since') {
      this.#count('since a moment')
      return { position: await positionSince(instance.feed as never, this.#start + Math.floor(this.#moment / 2)) }
    }
    return undefined
  }

  async #startInstance(): Promise<Place> {
    const { windowBytes, frameBytes, throttleBytes, replayEventsPerSecond, hasEpoch, cursorVersion } = this.#options
    const source = new LaggingSource(this.#log.source)
    const instance = new Instance({
      source,
      epoch: hasEpoch ? this.#log.epoch : undefined,
      cursorVersion,
      limits: { maxBytes: windowBytes, maxAgeMs: 3600_000 },
      frameBytes,
      throttleBytes,
      replayEventsPerSecond,
      heartbeatMs: this.#around.clock.heartbeatMs,
      gate: this.gate,
    })
    while (!instance.streams.readiness().ready) {
      await source.catchUp()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { source, instance }
  }

  async #stop(instance: Instance): Promise<void> {
    this.#countInstance(instance)
    await instance.close()
  }

  #countInstance({ engine, feed }: Instance): void {
    const { replays } = engine.stats
    if (replays.log > 0) this.#count('read from the log', replays.log)
    if (replays.fellBehind > 0) this.#count('fell off the frames', replays.fellBehind)
    if (feed.window.firstSeq > 0) this.#count('window overflowed')
    Object.assign(replays, { log: 0, fellBehind: 0 })
    const { throttles } = engine.shared
    if (throttles.stats.skipped > 0) this.#count('left out by a throttle', throttles.stats.skipped)
    if (throttles.stats.early > 0) this.#count('out early', throttles.stats.early)
    Object.assign(throttles.stats, { skipped: 0, early: 0 })
  }

  #compare(client: Vector, instance: Vector, isSame: boolean): void {
    this.#count(isSame ? 'came to the same instance' : 'came to the other instance')
    let behind = false
    let ahead = false
    for (let p = 0; p < Math.max(client.length, instance.length); p++) {
      if (p >= instance.length) this.#count('unknown to the instance')
      const difference = (instance[p] ?? -1) - (client[p] ?? -1)
      if (difference < 0) behind = true
      if (difference > 0) ahead = true
    }
    if (behind) this.#count('instance behind the cursor')
    if (ahead) this.#count('instance ahead of it')
    if (behind && ahead) this.#count('behind and ahead at once in different partitions')
  }

  #takeAll(): void {
    for (const session of this.sessions) {
      const { client, pipe, isStalled } = session
      if (!pipe || isStalled) continue
      while (pipe.size > 0) client.take(pipe.take())
      if (!pipe.isOpen) session.pipe = undefined
    }
  }

  async #append(records: OutgoingRecord[]): Promise<void> {
    if (records.length > 0) await this.#log.append(records)
  }

  #copyOf(partition: number): OutgoingRecord[] {
    return this.history.records(partition).map(({ timestamp, paint }) => {
      return { key: null, value: JSON.stringify(paint ?? 0), partition, timestamp }
    })
  }

  #session(which: number): Session {
    return this.sessions[which] as Session
  }

  #place(at: number): Place {
    return this.#places[at] as Place
  }

  #count(name: (typeof CASES)[number], times = 1): void {
    this.#statistics.count(name, times)
  }
}
