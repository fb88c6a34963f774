import { parse } from 'graphql'
import { vi } from 'vitest'
import { z } from 'zod'
import { Engine } from '../../../src/delivery/engine.ts'
import { type Operation, prepareOperation } from '../../../src/delivery/operation/operation.ts'
import { BY_ID } from '../../../src/protocol/event-stream.ts'
import { createBuilder } from '../../../src/schema/builder.ts'
import { ANONYMOUS } from '../../../src/schema/context.ts'
import { createEmbeddedLog, type EmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import { Streams } from '../../../src/streams/streams.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { silentLog } from '../../kit/log-lines.ts'
import type { Statistics } from '../../kit/statistics.ts'
import { type Gate, LaggingSource, Pipe } from '../../kit/two-instances.ts'
import { TableClient } from './table-client.ts'
import { type Told, ToldLog } from './told-log.ts'

const Paint = z.object({ n: z.int(), color: z.string() })
const topic = defineTopic('paints', {
  schema: Paint,
  index: ['color'],
  table: { tombstonesMs: 3600_000 },
})
export const COLORS = ['red', 'blue'] as const
/** Longer than the log's end is waited for, and than a capture is fresh. */
const BEYOND_MS = 7_000
const MAX_ROUNDS = 10

const ASKED = {
  all: { query: 'subscription { paints { op key row { n } } }', selects: ({ n }) => n !== undefined },
  red: { query: 'subscription { paints(color: "red") { op key row { n } } }', selects: ({ color }) => color === 'red' },
  third: {
    query: 'subscription { paints(third: 1) { op key row { n } } }',
    selects: ({ n }) => n !== undefined && n % 3 === 1,
  },
  both: {
    query: 'subscription { paints(color: "blue", third: 0) { op key row { n } } }',
    selects: ({ n, color }) => color === 'blue' && (n as number) % 3 === 0,
  },
  later: {
    query: 'subscription { paints(color: "red") { op key row { n later } } }',
    selects: ({ color }) => color === 'red',
  },
} as const satisfies Record<string, { query: string; selects: (told: Told) => boolean }>
export type AskedName = keyof typeof ASKED
export const ASKED_NAMES = Object.keys(ASKED) as AskedName[]

export const CASES = [
  'came back',
  'came to the other instance',
  'instance behind',
  'told of changes only',
  'began again',
  'fell off the frames',
  'removed',
  'log replaced',
  'instance restarted',
  'capture revoked',
  'truncated',
] as const

interface Session {
  readonly client: TableClient
  readonly asked: AskedName
  pipe: Pipe | undefined
  isStalled: boolean
  at: number
}

interface Place {
  readonly source: LaggingSource
  readonly streams: Streams
  readonly engine: Engine
  readonly operations: Map<AskedName, Operation>
}

export interface WorldOptions {
  readonly partitions: number
  readonly frameBytes: number
  readonly hasEpoch: boolean
  readonly cursorVersion: number
  readonly replayEventsPerSecond: number
  /** Each start of a client makes a capture, if the table has changed, and so few are kept. Undefined: as the product. */
  readonly captures: number | undefined
}

/** Two instances on one compacted topic, each of which lags in its own way, and clients of its table. */
export class World {
  readonly log: ToldLog
  sessions: Session[] = []
  readonly #options: WorldOptions
  readonly #statistics: Statistics
  readonly #gate: Gate
  #embedded: EmbeddedLog
  #places: Place[] = []

  constructor(options: WorldOptions, gate: Gate, statistics: Statistics) {
    this.#options = options
    this.#gate = gate
    this.#statistics = statistics
    this.log = new ToldLog(options.partitions)
    this.#embedded = this.#openLog()
  }

  async begin(plans: readonly AskedName[]): Promise<void> {
    for (let at = 0; at < 2; at++) this.#places.push(await this.#start())
    this.sessions = plans.map((asked) => ({
      client: new TableClient(this.log, ASKED[asked].selects),
      asked,
      pipe: undefined,
      isStalled: false,
      at: 0,
    }))
  }

  async close(): Promise<void> {
    this.#gate.open()
    for (const place of this.#places) await this.#stop(place)
    await this.#embedded.close()
  }

  async put(key: string, color: string | undefined, isPoison: boolean): Promise<void> {
    const told = this.log.append(key, color)
    const value = told.n === undefined ? (isPoison ? '{"n":"none"}' : null) : JSON.stringify({ n: told.n, color })
    await this.#embedded.sink.send('paints', [{ key, value, partition: told.partition }])
  }

  async advance(at: number, partition: number, count: number): Promise<void> {
    await this.#place(at).source.advance(partition, count)
  }

  catchUp(at: number): Promise<void> {
    return this.#place(at).source.catchUp()
  }

  /**
   * The log loses all that it had, as a topic that is recreated. Who is connected is told. Who is not may never notice,
   * without an epoch (docs/resume.md): it begins again.
   */
  async truncate(): Promise<void> {
    this.wait(10)
    // What is on its way to a client is compared with the log as it is.
    for (const which of this.sessions.keys()) this.unstall(which, Number.POSITIVE_INFINITY)
    for (const { client, pipe } of this.sessions) if (!pipe) client.forget()
    for (const { source } of this.#places) await source.catchUp()
    await this.pass(20)
    this.log.clear()
    const old = this.#embedded
    this.#embedded = this.#openLog()
    for (const { source } of this.#places) source.moveTo(this.#embedded.source)
    for (const { source } of this.#places) {
      for (let partition = 0; partition < this.log.partitions.length; partition++) await source.advance(partition, 0)
    }
    await old.close()
    this.#statistics.count('truncated')
    await this.pass(20)
  }

  /** Another log of the same name, as after a restart with the embedded log. */
  async replace(): Promise<void> {
    for (const which of this.sessions.keys()) this.disconnect(which, Number.POSITIVE_INFINITY)
    for (const place of this.#places) await this.#stop(place)
    await this.#embedded.close()
    this.log.clear()
    this.#embedded = this.#openLog()
    for (let at = 0; at < 2; at++) this.#places[at] = await this.#start()
    this.#statistics.count('log replaced')
  }

  async restart(at: number): Promise<void> {
    for (const [which, session] of this.sessions.entries())
      if (session.at === at) this.disconnect(which, Number.POSITIVE_INFINITY)
    await this.#stop(this.#place(at))
    this.#places[at] = await this.#start()
    this.#statistics.count('instance restarted')
  }

  connect(which: number, at: number, capacity: number): void {
    const session = this.#session(which)
    if (session.pipe) return
    const { client, asked } = session
    const { engine, streams } = this.#place(at)
    const { position, positions } = client
    if (position !== undefined) {
      this.#statistics.count('came back')
      if (session.at !== at) this.#statistics.count('came to the other instance')
      const { head } = streams.feed(topic)
      if (positions?.some((offset, partition) => offset > (head[partition] ?? -1))) {
        this.#statistics.count('instance behind')
      }
    }
    const pipe = new Pipe(capacity)
    Object.assign(session, { pipe, at, isStalled: false })
    client.connected()
    const operation = this.#operation(this.#place(at), asked)
    if (!operation.stream) throw new Error('It is no stream')
    const start = position === undefined ? undefined : { after: position }
    engine.prepare(operation, operation.stream, { start, hasMarker: true }).start(pipe, BY_ID)
  }

  /** The connection goes, and with it the last bytes on their way. */
  disconnect(which: number, lost: number): void {
    const session = this.#session(which)
    const { pipe, client } = session
    if (!pipe) return
    session.pipe = undefined
    client.take(pipe.cut(Math.max(0, pipe.size - lost)))
  }

  stall(which: number): void {
    const session = this.#session(which)
    if (!session.pipe) return
    session.isStalled = true
    session.pipe.capacity = 1
  }

  unstall(which: number, capacity: number): void {
    const session = this.#session(which)
    if (!session.pipe) return
    session.isStalled = false
    session.pipe.capacity = capacity
  }

  shut(): void {
    this.#gate.shut()
  }

  open(): void {
    this.#gate.open()
  }

  async pass(turns: number): Promise<void> {
    this.#takeAll()
    for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      this.#takeAll()
    }
  }

  wait(ms: number): void {
    vi.advanceTimersByTime(ms)
  }

  /** Everything works again, for long enough; then every client has the rows of the log. */
  async heal(): Promise<void> {
    this.#gate.open()
    for (let round = 0; round < MAX_ROUNDS && (round === 0 || !this.#isAllTold()); round++) {
      for (let at = 0; at < 2; at++) await this.catchUp(at)
      for (const which of this.sessions.keys()) {
        this.unstall(which, Number.POSITIVE_INFINITY)
        this.connect(which, which % 2, Number.POSITIVE_INFINITY)
      }
      await this.pass(6)
      this.wait(BEYOND_MS)
      await this.pass(6)
    }
    for (const { client, pipe } of this.sessions) {
      if (!pipe) throw new Error('Was closed in good health')
      const ends = this.log.ends.join()
      if (client.positions?.join() !== ends) throw new Error(`Its position stays at ${client.positions}, not ${ends}`)
      client.checkRows('the end')
      this.#statistics.count('removed', client.removes)
      this.#statistics.count('began again', Math.max(0, client.resets - 1))
    }
    for (const place of this.#places) this.#countPlace(place)
  }

  #isAllTold(): boolean {
    const ends = this.log.ends.join()
    return this.sessions.every(({ client }) => client.positions?.join() === ends && client.caughtUp > 0)
  }

  #takeAll(): void {
    for (const session of this.sessions) {
      const { client, pipe, isStalled } = session
      if (!pipe || isStalled) continue
      while (pipe.size > 0) {
        const before = client.resets
        client.take(pipe.take())
        if (client.resets === before && client.upserts > 0) this.#statistics.count('told of changes only')
      }
      if (!pipe.isOpen) session.pipe = undefined
    }
  }

  #openLog(): EmbeddedLog {
    const embedded = createEmbeddedLog()
    embedded.createTopic('paints', this.#options.partitions)
    return embedded
  }

  async #start(): Promise<Place> {
    const { frameBytes, hasEpoch, cursorVersion, replayEventsPerSecond, captures: count } = this.#options
    const source = new LaggingSource(this.#embedded.source, 'paints')
    const epoch = hasEpoch ? this.#embedded.epoch : undefined
    const limits = { maxBytes: 1500, maxAgeMs: 3600_000 }
    const streams = new Streams({ topics: [topic], source, epoch, cursorVersion, limits, log: silentLog })
    const engine = new Engine({
      feed: (one) => streams.feed(one),
      table: (one) => streams.table(one),
      heartbeatMs: 3200,
      log: silentLog,
      replayEventsPerSecond,
    })
    Object.assign(engine.shared.budget, { limit: frameBytes })
    if (count)
      Object.assign(streams.table(topic).captures.limits, { count, freshMs: 0, freshChanges: 0, freshShare: 0 })
    streams.start()
    while (!streams.readiness().ready) {
      await source.catchUp()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { source, streams, engine, operations: new Map() }
  }

  async #stop(place: Place): Promise<void> {
    this.#countPlace(place)
    place.engine.close()
    await place.streams.close()
  }

  #countPlace({ engine, streams }: Place): void {
    const { captures } = streams.table(topic)
    this.#statistics.count('capture revoked', captures.revoked)
    captures.revoked = 0
    const { replays } = engine.stats
    this.#statistics.count('fell off the frames', replays.fellBehind)
    replays.fellBehind = 0
  }

  #operation(place: Place, asked: AskedName): Operation {
    const known = place.operations.get(asked)
    if (known) return known
    const context = { audience: ANONYMOUS, streams: place.streams }
    const document = parse(ASKED[asked].query)
    const schema = schemaWith(this.#gate)
    const operation = prepareOperation({ schema, document, operationName: undefined, variables: {}, context })
    if (!('args' in operation)) throw operation[0]
    place.operations.set(asked, operation)
    return operation
  }

  #session(which: number): Session {
    return this.sessions[which] as Session
  }

  #place(at: number): Place {
    return this.#places[at] as Place
  }
}

const schemas = new WeakMap<Gate, ReturnType<ReturnType<typeof createBuilder>['toSchema']>>()

function schemaWith(gate: Gate) {
  const known = schemas.get(gate)
  if (known) return known
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Type = builder.objectRef<z.output<typeof Paint>>('Paint').implement({
    fields: (t) => ({ n: t.exposeInt('n'), later: t.int({ resolve: ({ n }) => gate.pass(n) }) }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      paints: t.table({
        topic,
        type: Type,
        args: { color: t.arg.string(), third: t.arg.int() },
        where: ({ color }) => (color ? { color } : {}),
        filter: ({ n }, { third }) => third === undefined || third === null || n % 3 === third,
      }),
    }),
  })
  const schema = builder.toSchema()
  schemas.set(gate, schema)
  return schema
}
