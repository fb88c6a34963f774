import { type DocumentNode, type GraphQLSchema, parse } from 'graphql'
import { Engine, type Start } from '../../src/delivery/engine.ts'
import { type Operation, prepareOperation } from '../../src/delivery/operation/operation.ts'
import type { Outlet, OutletListener } from '../../src/delivery/outlet.ts'
import { BY_ID, IN_EXTENSIONS } from '../../src/protocol/event-stream.ts'
import { createBuilder } from '../../src/schema/builder.ts'
import { ANONYMOUS } from '../../src/schema/context.ts'
import type { Positions } from '../../src/streams/event.ts'
import type { Feed } from '../../src/streams/feed/feed.ts'
import type { WindowLimits } from '../../src/streams/feed/window.ts'
import { gapAt } from '../../src/streams/source/gap-at.ts'
import type { FetchedRecords, PartitionRange, Reader, Source } from '../../src/streams/source/port.ts'
import { Streams } from '../../src/streams/streams.ts'
import { type Paint, paints } from './feeds.ts'
import { silentLog } from './log-lines.ts'

/** As much as any test has in one partition. */
const ALL_BYTES = 1024 * 1024

/**
 * A source whose live reader reads what a test tells it to, partition by partition: so two instances on one log lag
 * each in its own way. Everything else is the log's own.
 */
export class LaggingSource implements Source {
  #log: Source
  readonly #topic: string
  readonly #wanted = new Map<number, number>()
  #reader: Reader | undefined

  constructor(log: Source, topic: string = paints.name) {
    this.#log = log
    this.#topic = topic
  }

  /** The log is another one from now on, and nobody said so. */
  moveTo(log: Source): void {
    this.#log = log
  }

  ranges(topic: string): Promise<readonly PartitionRange[]> {
    return this.#log.ranges(topic)
  }

  offsetsAt(topic: string, timestamp: number): Promise<Positions> {
    return this.#log.offsetsAt(topic, timestamp)
  }

  fetch(...args: Parameters<Source['fetch']>): Promise<FetchedRecords> {
    return this.#log.fetch(...args)
  }

  ends(topic: string): Promise<Positions> {
    return this.#log.ends(topic)
  }

  read(_topic: string, from: Positions, reader: Reader, signal: AbortSignal): Promise<void> {
    for (const [partition, offset] of from) this.#wanted.set(partition, offset)
    this.#reader = reader
    reader.onState({ kind: 'reading' })
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        this.#reader = undefined
        resolve()
      })
    })
  }

  /** Reads up to `count` records of a partition. */
  async advance(partition: number, count: number): Promise<void> {
    if (!this.#reader) return
    const wanted = this.#wanted.get(partition)
    const offset = wanted ?? 0
    const fetched = await this.#log.fetch(this.#topic, partition, offset, ALL_BYTES, new AbortController().signal)
    if (!this.#reader) return
    if (fetched.kind === 'out_of_range') {
      const gap = gapAt(offset, fetched.range)
      if (!gap) return
      this.#wanted.set(partition, gap.to)
      this.#reader.onGap({ kind: 'gap', topic: this.#topic, partition, from: offset, ...gap })
      return
    }
    const records = fetched.records.slice(0, count)
    const nextOffset = records.at(-1) ? (records.at(-1)?.offset as number) + 1 : offset
    if (records.length === 0 && wanted !== undefined) return
    this.#wanted.set(partition, nextOffset)
    await this.#reader.onBatch({ topic: this.#topic, partition, records, nextOffset, endOffset: fetched.endOffset })
  }

  /** Reads all there is, each partition in turn. */
  async catchUp(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      for (const { partition } of await this.ranges(this.#topic)) {
        await this.advance(partition, Number.POSITIVE_INFINITY)
      }
    }
  }

  async close(): Promise<void> {}
}

/** What a client may ask for; `matches` says the same without the product. */
export interface Asked {
  readonly query: string
  readonly matches: (paint: Paint) => boolean
  /** At most one event of a key in an interval. */
  readonly throttled?: { readonly mode: 'FIRST' | 'LATEST'; readonly keyOf: (paint: Paint) => unknown }
}

export const ASKED = {
  all: { query: 'subscription { paint { n } }', matches: () => true },
  red: { query: 'subscription { paint(color: "red") { n } }', matches: ({ color }) => color === 'red' },
  thirdOfBlue: {
    query: 'subscription { paint(color: "blue", third: 1) { n } }',
    matches: ({ color, n }) => color === 'blue' && n % 3 === 1,
  },
  later: { query: 'subscription { paint(color: "red") { n later } }', matches: ({ color }) => color === 'red' },
  none: { query: 'subscription { paint(color: "green") { n } }', matches: () => false },
  latest: {
    query: 'subscription { paint(throttle: { everyMs: 1000 }) { n } }',
    matches: () => true,
    throttled: { mode: 'LATEST', keyOf: () => 0 },
  },
  latestOfThird: {
    query: 'subscription { paint(throttle: { everyMs: 50, by: "third" }) { n } }',
    matches: () => true,
    throttled: { mode: 'LATEST', keyOf: ({ n }) => n % 3 },
  },
  latestLater: {
    query: 'subscription { paint(color: "red", throttle: { everyMs: 1000, by: "third" }) { n later } }',
    matches: ({ color }) => color === 'red',
    throttled: { mode: 'LATEST', keyOf: ({ n }) => n % 3 },
  },
  first: {
    query: 'subscription { paint(throttle: { everyMs: 1000, mode: FIRST, by: "color" }) { n } }',
    matches: () => true,
    throttled: { mode: 'FIRST', keyOf: ({ color }) => color },
  },
} as const satisfies Record<string, Asked>

export type AskedName = keyof typeof ASKED

/** Holds what resolvers are awaited for, while a test says so. One for each file of tests: a schema is made for it. */
export class Gate {
  #isShut = false
  #waiting: (() => void)[] = []

  pass(n: number): Promise<number> {
    return new Promise((resolve) => {
      const open = (): void => resolve(n)
      if (this.#isShut) this.#waiting.push(open)
      else setImmediate(open)
    })
  }

  shut(): void {
    this.#isShut = true
  }

  open(): void {
    this.#isShut = false
    for (const open of this.#waiting.splice(0)) open()
  }
}

export interface InstanceOptions {
  readonly source: Source
  readonly epoch: number | undefined
  readonly cursorVersion?: number
  readonly limits: WindowLimits
  readonly replayEventsPerSecond?: number
  /** What all groups' frames may take. */
  readonly frameBytes?: number
  /** What the throttles of all groups may take, and those of all clients that come back. */
  readonly throttleBytes?: number | undefined
  readonly heartbeatMs: number
  readonly gate: Gate
}

/** All of a gateway below HTTP: streams over a source, and an engine. */
export class Instance {
  readonly streams: Streams
  readonly engine: Engine
  readonly gate: Gate
  readonly #schema: GraphQLSchema
  readonly #operations = new Map<string, Operation>()

  constructor(options: InstanceOptions) {
    const { source, epoch, limits, heartbeatMs, gate, frameBytes, replayEventsPerSecond, cursorVersion = 1 } = options
    const { throttleBytes } = options
    this.gate = gate
    this.#schema = schemaWith(gate)
    this.streams = new Streams({ topics: [paints], source, epoch, cursorVersion, limits, log: silentLog })
    this.engine = new Engine({
      feed: (topic) => this.streams.feed(topic),
      heartbeatMs,
      log: silentLog,
      ...(replayEventsPerSecond !== undefined && { replayEventsPerSecond }),
    })
    if (frameBytes !== undefined) Object.assign(this.engine.shared.budget, { limit: frameBytes })
    if (throttleBytes !== undefined) {
      const { groups, catchUps } = this.engine.shared.throttles
      for (const room of [groups, catchUps]) Object.assign(room, { limit: throttleBytes })
    }
    this.streams.start()
  }

  get feed(): Feed<Paint> {
    return this.streams.feed(paints)
  }

  /** Joins an operation's stream, as a transport would. */
  open(
    { query }: Asked,
    outlet: Outlet,
    {
      start,
      cursor,
      markers,
    }: { readonly start?: Start | undefined; readonly cursor: boolean; readonly markers: boolean },
  ): void {
    const operation = this.#operations.get(query) ?? this.#prepare(query)
    if (!operation.stream) throw new Error('The operation is no stream')
    this.engine
      .prepare(operation, operation.stream, { start, hasMarker: markers })
      .start(outlet, cursor ? IN_EXTENSIONS : BY_ID)
  }

  async close(): Promise<void> {
    this.engine.close()
    await this.streams.close()
  }

  #prepare(query: string): Operation {
    const operation = prepareOperation({
      schema: this.#schema,
      document: documentOf(query),
      operationName: undefined,
      variables: {},
      context: { audience: ANONYMOUS, streams: this.streams },
    })
    if (!('args' in operation)) throw operation[0]
    this.#operations.set(query, operation)
    return operation
  }
}

const documents = new Map<string, DocumentNode>()

function documentOf(query: string): DocumentNode {
  const document = documents.get(query) ?? parse(query)
  documents.set(query, document)
  return document
}

const schemas = new WeakMap<Gate, GraphQLSchema>()

function schemaWith(gate: Gate): GraphQLSchema {
  const known = schemas.get(gate)
  if (known) return known
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Type = builder.objectRef<Paint>('Paint').implement({
    fields: (t) => ({
      n: t.exposeInt('n'),
      color: t.exposeString('color'),
      third: t.int({ resolve: ({ n }) => n % 3 }),
      later: t.int({ resolve: ({ n }) => gate.pass(n) }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      paint: t.stream({
        topic: paints,
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

/** What a client's connection holds on its way to it: full from `capacity` bytes on, until the client has read. */
export class Pipe implements Outlet {
  capacity: number
  isOpen = true
  member: OutletListener | undefined
  #chunks: Buffer[] = []
  #size = 0
  #wasFull = false

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  write(bytes: Buffer): boolean {
    if (!this.isOpen) throw new Error('Written to after its end')
    this.#chunks.push(bytes)
    this.#size += bytes.length
    const fits = this.#size < this.capacity
    if (!fits) this.#wasFull = true
    return fits
  }

  end(bytes?: Buffer): void {
    if (bytes) this.write(bytes)
    this.isOpen = false
  }

  destroy(): void {
    this.isOpen = false
  }

  attach(member: OutletListener): void {
    this.member = member
  }

  /** Takes what is there, and says so to who writes. */
  take(): string {
    const text = this.#takeAll()
    if (this.#wasFull && this.isOpen) {
      this.#wasFull = false
      this.member?.drained()
    }
    return text
  }

  /** Takes at most this many bytes; the rest is lost with the connection. */
  cut(bytes: number): string {
    const text = this.#takeAll().slice(0, bytes)
    if (this.isOpen) {
      this.isOpen = false
      this.member?.gone()
    }
    return text
  }

  #takeAll(): string {
    const text = Buffer.concat(this.#chunks).toString('latin1')
    this.#chunks = []
    this.#size = 0
    return text
  }
}
