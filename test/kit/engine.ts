import { parse, validate } from 'graphql'
import { onTestFinished, vi } from 'vitest'
import { Engine, type Start } from '../../src/delivery/engine.ts'
import { fullSinceOf } from '../../src/delivery/group/member-state.ts'
import type { Subscriber } from '../../src/delivery/group/subscriber.ts'
import { prepareOperation } from '../../src/delivery/operation/operation.ts'
import type { Outlet, OutletListener } from '../../src/delivery/outlet.ts'
import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { BY_ID, IN_EXTENSIONS } from '../../src/protocol/event-stream.ts'
import { createBuilder } from '../../src/schema/builder.ts'
import { ANONYMOUS, type Audience, type Context } from '../../src/schema/context.ts'
import { decodeCursor } from '../../src/streams/cursor/cursor.ts'
import type { Feed } from '../../src/streams/feed/feed.ts'
import { batchOf, type Paint, paintFeed, paints, ROOMY, recordOf } from './feeds.ts'
import { silentLog } from './log-lines.ts'

/** An outlet that keeps what it is given, and is full when a test says so. */
export class FakeOutlet implements Outlet {
  /** Says of itself that it is full, until it is drained. */
  full = false
  end_: 'open' | 'ended' | 'destroyed' = 'open'
  writes = 0
  bytes = 0
  listener: OutletListener | undefined
  #chunks: Buffer[] = []

  write(bytes: Buffer): boolean {
    if (this.end_ !== 'open') throw new Error('Written to after its end')
    this.#chunks.push(bytes)
    this.writes++
    this.bytes += bytes.length
    return !this.full
  }

  end(bytes?: Buffer): void {
    if (bytes) this.write(bytes)
    this.end_ = 'ended'
  }

  destroy(): void {
    this.end_ = 'destroyed'
  }

  attach(listener: OutletListener): void {
    this.listener = listener
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString()
  }

  /** Forgets what it was given: for tests of much. */
  forget(): void {
    this.#chunks = []
  }

  get blocks(): { id?: string; event?: string; data?: string; retry?: string }[] {
    const blocks = this.text.split('\n\n').slice(0, -1)
    return blocks.map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s))))
  }

  /** Results so far. */
  get results(): { data?: { paint?: Partial<Paint> } | null; errors?: { extensions: { code: string } }[] }[] {
    return this.blocks.filter(({ event }) => event === 'next').map(({ data }) => JSON.parse(data ?? ''))
  }

  /** `n` of each result, or the code of its error. */
  get told(): (number | string | undefined)[] {
    return this.results.map(({ data, errors }) => errors?.[0]?.extensions.code ?? data?.paint?.n)
  }

  /** The position that each block names. */
  get positions(): (readonly number[] | undefined)[] {
    return this.blocks.map(({ id }) => (id === undefined ? undefined : decodeCursor('paints', id).positions))
  }
}

/** As a client asks for a stream. */
export interface OpenOptions {
  readonly start?: Start
  /** The position is wanted in each result's `extensions`. */
  readonly cursor?: boolean
  readonly markers?: boolean
}

/** Whether a member waits for its outlet. */
export function lags(member: Subscriber): boolean {
  return fullSinceOf(member.state) !== 0
}

export interface TestEngineOptions {
  readonly partitions?: number
  readonly limits?: typeof ROOMY
  readonly log?: typeof silentLog
  /** What the field `later` resolves to, for an event's number. */
  readonly later?: (n: number) => unknown
  readonly heartbeatMs?: number
}

/** An engine over a feed of paints, with faked timers: a flush comes at the end of the turn. */
export function startEngine(options: TestEngineOptions = {}) {
  const { partitions = 1, limits = ROOMY, log = silentLog, later = (n) => n, heartbeatMs = 32_000 } = options
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  vi.advanceTimersByTime(1000) // no process has a monotonic clock at 0
  const feed = paintFeed({ partitions, limits, log })
  const streams = { feed: () => feed as never, feeds: [feed as Feed<unknown>] } as unknown as Context['streams']
  let failing = (): unknown => {
    throw new Error('A filter that fails')
  }
  const schema = paintSchema(later, () => failing())
  const errors = new ResolverErrors(log, schema)
  const engine = new Engine({ feed: () => feed as never, heartbeatMs, log, errors })
  onTestFinished(() => {
    engine.close()
    vi.useRealTimers()
  })

  const paintOn = (partition: number, ...numbers: number[]): void => {
    const offset = Math.max(0, feed.head[partition] ?? 0)
    const records = numbers.map((n, index) => recordOf(partition, offset + index, { n, color: n % 2 ? 'odd' : 'even' }))
    void feed.onBatch(batchOf(partition, records))
  }

  return {
    engine,
    feed,
    paintOn,
    /** Joins the stream of an operation, as a transport would. */
    open(
      query: string,
      { outlet = new FakeOutlet(), variables = {}, audience = ANONYMOUS as Audience } = {},
      { start, cursor = false, markers = false }: OpenOptions = {},
    ) {
      const document = parse(query)
      const [invalid] = validate(schema, document)
      if (invalid) throw invalid
      const context: Context = { audience, streams }
      const operation = prepareOperation({ schema, document, operationName: undefined, variables, context })
      if (!('args' in operation)) throw operation[0]
      if (!operation.stream) throw new Error('The operation is no stream')
      engine
        .prepare(operation, operation.stream, { start, hasMarker: markers })
        .start(outlet, cursor ? IN_EXTENSIONS : BY_ID)
      // Undefined where the outlet failed before anybody attached to it.
      return { outlet, member: outlet.listener as Subscriber }
    },
    /** What the filter throws for events above 666. */
    filterWith: (fail: () => unknown) => {
      failing = fail
    },
    /** Hands the feed events with these numbers, in one batch. */
    paint: (...numbers: number[]) => paintOn(0, ...numbers),
  }
}

/** Lets pending promises and flushes come to their end; timers stand still. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function paintSchema(later: (n: number) => unknown, fail: () => unknown) {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Type = builder.objectRef<Paint>('Paint').implement({
    fields: (t) => ({
      n: t.exposeInt('n'),
      color: t.exposeString('color'),
      /** 100,000 characters. */
      long: t.string({ resolve: () => 'x'.repeat(100_000) }),
      later: t.int({ nullable: true, resolve: ({ n }) => later(n) as number }),
      claim: t.string({ nullable: true, resolve: (_paint, _args, { audience }) => String(audience.claims.tier) }),
    }),
  })
  builder.subscriptionType({
    fields: (t) => ({
      paint: t.stream({
        topic: paints,
        type: Type,
        args: { color: t.arg.string(), above: t.arg.int() },
        where: ({ color }) => (color ? { color } : {}),
        filter: ({ n }, { above }) => {
          if (above === 666) return fail() as never
          return n > (above ?? -1)
        },
      }),
    }),
  })
  return builder.toSchema()
}
