import { SluiceError } from '../../errors/codes.ts'
import type { StreamEvent } from '../../streams/event.ts'
import type { SubscribeOptions } from '../../streams/feed/event-iterator.ts'
import type { TableReadOptions } from '../../streams/table/table-iterator.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import type { Selection } from '../../streams/topic/where.ts'
import type { Audience, Context, TableRows, TopicEvents } from '../context.ts'
import { boundSelection, boundsOf, type TopicBound } from './bounds.ts'

type Streams = Context['streams']
type Test = (event: StreamEvent) => boolean

/** Of a selection that a resolver has written: it has no filter of a client. */
const NO_FILTER = { kind: 'all', of: [] } as const

/**
 * The streams of an audience. Where it has bounds, or may read only so far back, these are views that keep to that,
 * whatever a resolver asks for: no resolver has to think of it.
 */
export function streamsFor(streams: Streams, audience: Audience): Streams {
  const { bounds = {}, historyMs } = audience.claims
  if (audience.claims.bounds === undefined && historyMs === undefined) return streams
  return {
    feed: (topic) =>
      new BoundEvents(streams.feed(topic), new Within(topic as Topic, boundsOf(topic as Topic, bounds), historyMs)),
    // The rows of a table are what is now: no history.
    table: (topic) => new BoundRows(streams.table(topic), new Within(topic as Topic, boundsOf(topic as Topic, bounds))),
    get feeds(): never {
      throw new SluiceError(
        'FORBIDDEN',
        'The figures of topics tell of all their events, which these credentials may not read',
      )
    },
  }
}

/** What of a topic may be read. */
class Within {
  readonly bounds: readonly TopicBound[]
  readonly #topic: Topic
  readonly #historyMs: number | undefined

  constructor(topic: Topic, bounds: readonly TopicBound[], historyMs?: number) {
    this.#topic = topic
    this.bounds = bounds
    this.#historyMs = historyMs
  }

  /** A selection and a test that keep to it: of the past, as it is at this moment. */
  narrow<V>(where: Selection<V> = {}, own?: (event: StreamEvent<V>) => boolean) {
    const { where: selection, test } = boundSelection(this.bounds, {
      topic: this.#topic,
      where: where as Selection<unknown>,
      filter: NO_FILTER,
    })
    const tests = [test, this.#isYoung(), own as Test | undefined].filter((each) => each !== undefined)
    return { selection: selection as Selection<V>, test: (event: StreamEvent<V>) => tests.every((one) => one(event)) }
  }

  #isYoung(): Test | undefined {
    if (this.#historyMs === undefined) return undefined
    const oldest = Date.now() - this.#historyMs
    return ({ timestamp }) => timestamp >= oldest
  }
}

class BoundEvents<V, I> implements TopicEvents<V, I> {
  readonly #events: TopicEvents<V, I>
  readonly #within: Within

  constructor(events: TopicEvents<V, I>, within: Within) {
    this.#events = events
    this.#within = within
  }

  subscribe({ where, filter, ...options }: SubscribeOptions<V, I> = {}) {
    const own = filter && ((event: StreamEvent<V>) => filter(event.value, event))
    const { selection, test } = this.#within.narrow(where as Selection<V> | undefined, own)
    // The record that a filter is given is the event.
    const narrowed: SubscribeOptions<V, I>['filter'] = (_value, record) => test(record as StreamEvent<V>)
    return this.#events.subscribe({ ...options, where: selection as unknown as Selection<I>, filter: narrowed })
  }

  newest(count: number, matches: (event: StreamEvent<V>) => boolean, where?: Selection<V>) {
    const { selection, test } = this.#within.narrow(where, matches)
    return this.#events.newest(count, test, selection)
  }

  findLast(count: number, matches: (event: StreamEvent<V>) => boolean, where?: Selection<V>) {
    const { selection, test } = this.#within.narrow(where, matches)
    return this.#events.findLast(count, test, selection)
  }

  startAfter(cursor: string) {
    return this.#events.startAfter(cursor)
  }

  startSince(timestamp: number) {
    return this.#events.startSince(timestamp)
  }
}

class BoundRows<V> implements TableRows<V> {
  readonly #rows: TableRows<V>
  readonly #within: Within

  constructor(rows: TableRows<V>, within: Within) {
    this.#rows = rows
    this.#within = within
  }

  demandReady(): void {
    this.#rows.demandReady()
  }

  rows(options?: TableReadOptions<V>) {
    return this.#rows.rows(this.#narrow(options))
  }

  read(options?: TableReadOptions<V>) {
    return this.#rows.read(this.#narrow(options))
  }

  #narrow({ selection, test, ...options }: TableReadOptions<V> = {}): TableReadOptions<V> {
    return { ...options, ...this.#within.narrow(selection, test), bounds: this.#within.bounds }
  }
}
