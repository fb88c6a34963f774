import { setImmediate as nextTurn } from 'node:timers/promises'
import type { OperationTypeNode } from 'graphql'
import type { AdmissionObserver } from '../admission-observer.ts'
import { LiveMap } from '../live-map.ts'
import type { OpenStream } from '../open-stream.ts'
import type { Principal } from '../principal.ts'
import type { StreamOwner } from '../stream-owner.ts'
import { add, noCounts } from './counts.ts'
import { TALLY_BYTES, Tally } from './tally.ts'

/** Budget of tallies: some 10,000 principals. What others use is counted together. */
const TALLIES_BYTES = 8 * 1024 * 1024
/** Streams that are read in one turn of the event loop: half a millisecond. */
const STREAMS_PER_TURN = 1_000

/** Counters of an open stream when it was last read. */
interface Meter {
  readonly tally: Tally
  readAt: number
  events: number
  bytes: number
}

export interface UsageOptions {
  /** Whether what is counted is sent somewhere: else only the metrics have it. */
  readonly isSent?: boolean
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
  /** Milliseconds since the epoch. */
  readonly time?: () => number
}

/**
 * What each principal uses: streams, results, bytes, queries. Nothing is counted for each event: streams have counters
 * of their own, which are read when they close, and by `measure`.
 */
export class Usage implements AdmissionObserver {
  /** Of principals that are gone, since the metrics were last read. */
  readonly evicted = noCounts()
  readonly tallies: LiveMap<Tally>
  readonly #meters = new Map<OpenStream, Meter>()
  readonly #isSent: boolean
  readonly #now: () => number
  #measuring: Promise<void> | undefined

  constructor({ isSent = false, now = () => performance.now(), time = Date.now }: UsageOptions = {}) {
    this.#isSent = isSent
    this.#now = now
    this.tallies = new LiveMap({
      maxBytes: TALLIES_BYTES,
      entryBytes: TALLY_BYTES,
      create: (key) => {
        const [kind, id] = partsOf(key)
        return new Tally(kind, id, time())
      },
      rest: new Tally('other', 'other', time()),
      onEvicted: ({ unread }) => add(this.evicted, unread),
    })
  }

  /** All tallies, with that of the principals for which there is no room. */
  *all(): Iterable<Tally> {
    for (const [, tally] of this.tallies) yield tally
    yield this.tallies.rest
  }

  opened(stream: OpenStream): void {
    const tally = this.#tallyOf(stream.owner.identity.principal)
    this.#meters.set(stream, { tally, readAt: stream.openedAt, events: 0, bytes: 0 })
    tally.streams++
    this.#count(tally, 'opened', 1)
  }

  closed(stream: OpenStream): void {
    const meter = this.#meters.get(stream)
    if (!meter) return
    this.#read(stream, meter)
    this.#meters.delete(stream)
    meter.tally.streams--
  }

  admitted({ identity }: StreamOwner, type: OperationTypeNode): void {
    if (type !== 'subscription') this.#count(this.#tallyOf(identity.principal), 'queries', 1)
  }

  refused(): void {}

  /** Reads the counters of all open streams, some in each turn of the event loop. */
  measure(): Promise<void> {
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined
    })
    return this.#measuring
  }

  async #measure(): Promise<void> {
    let count = 0
    // Streams that open and close meanwhile are visited, or not: each is read as of its own last reading.
    for (const [stream, meter] of this.#meters) {
      this.#read(stream, meter)
      if (++count % STREAMS_PER_TURN === 0) await nextTurn()
    }
  }

  #read(stream: OpenStream, meter: Meter): void {
    const { events, bytesWritten: bytes } = stream
    const streamMs = Math.round(this.#now() - meter.readAt)
    const counts = { opened: 0, queries: 0, streamMs, events: events - meter.events, bytes: bytes - meter.bytes }
    meter.readAt += streamMs
    meter.events = events
    meter.bytes = bytes
    meter.tally.count(counts, this.#isSent)
  }

  #count(tally: Tally, name: 'opened' | 'queries', times: number): void {
    tally.count({ ...noCounts(), [name]: times }, this.#isSent)
  }

  #tallyOf({ kind, id }: Principal): Tally {
    return this.tallies.of(`${kind} ${id}`, this.#now())
  }
}

function partsOf(key: string): [kind: Principal['kind'], id: string] {
  const space = key.indexOf(' ')
  return [key.slice(0, space) as Principal['kind'], key.slice(space + 1)]
}
