import { LRUCache } from 'lru-cache'
import { SluiceError } from '../../errors/codes.ts'
import { UNKNOWN } from '../cursor/vector.ts'
import type { Positions, StreamEvent } from '../event.ts'
import type { Feed } from '../feed/feed.ts'
import type { Topic } from '../topic/topic.ts'
import { headersOf, ID_HEADER, type Identified } from './identified.ts'

/** Budget of the events that were published last: some 10,000. An event is in the window a moment after it was sent. */
const RECENT_BYTES = 8 * 1024 * 1024
/**
 * How long a repeat waits until this instance has read what the log has: milliseconds where it keeps up. While it is
 * behind, whether a repeat is one is not known.
 */
const CAUGHT_UP_MS = 5_000

export interface RepeatsOptions {
  readonly feed: <V>(topic: Topic<V>) => Feed<V>
  /** The ends of a topic's partitions, as the log has them now. @throws SourceUnavailable */
  readonly ends: (topic: string) => Promise<Positions>
}

/** Finds the event that was published before with an idempotency key, by this instance or another one. */
export class Repeats {
  readonly #options: RepeatsOptions
  readonly #recent = new LRUCache<string, { event: StreamEvent<unknown>; digest: string; bytes: number }>({
    maxSize: RECENT_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  })

  constructor(options: RepeatsOptions) {
    this.#options = options
  }

  /** Estimated heap bytes. */
  get bytes(): number {
    return this.#recent.calculatedSize
  }

  published(event: StreamEvent<unknown>, { id, digest }: Identified, bytes: number): void {
    this.#recent.set(id, { event, digest, bytes: 512 + 2 * bytes })
  }

  /**
   * The event of an earlier publication, if this instance's window, or what it has published lately, has it. Everything
   * that the log has acknowledged before the call is looked at, up to the age of the window.
   * @throws SluiceError `BAD_USER_INPUT` where the key was used for something else; `NOT_READY` where it is not known now.
   */
  async find<V>(topic: Topic<V>, draft: StreamEvent<V>, identified: Identified): Promise<StreamEvent<V> | undefined> {
    const { id, digest } = identified
    const recent = this.#recent.get(id)
    if (recent) return demandSame(recent.event as StreamEvent<V>, recent.digest, digest)
    const feed = this.#options.feed(topic)
    await this.#untilCaughtUp(feed as unknown as Feed<unknown>)
    const [found] = await feed.newest(1, ({ headers }) => headers[ID_HEADER] === id, likeOf(topic, draft))
    return found && demandSame(found, headersOf(found.headers)?.digest, digest)
  }

  /** Waits until the feed has passed what the log has now. */
  async #untilCaughtUp(feed: Feed<unknown>): Promise<void> {
    if (!feed.isFilled) throw notKnown()
    let ends: Positions
    try {
      ends = await this.#options.ends(feed.topic.name)
    } catch {
      throw notKnown()
    }
    const isPassed = () => [...ends].every(([partition, end]) => (feed.head[partition] ?? UNKNOWN) >= end)
    if (isPassed()) return
    const passed = Promise.withResolvers<void>()
    const timer = setTimeout(() => passed.reject(notKnown()), CAUGHT_UP_MS)
    const look = () => {
      if (isPassed()) passed.resolve()
    }
    const remove = feed.addToGaps({
      onEvent: () => {},
      onGap: look,
      onProgress: look,
      failed: (error) => passed.reject(error),
    })
    try {
      await passed.promise
    } finally {
      clearTimeout(timer)
      remove()
    }
  }
}

function demandSame<V>(event: StreamEvent<V>, found: string | undefined, wanted: string): StreamEvent<V> {
  if (found === wanted) return event
  throw new SluiceError('BAD_USER_INPUT', 'This idempotency key was used for another input: take a new one')
}

function notKnown(): SluiceError {
  return new SluiceError(
    'NOT_READY',
    'Whether this idempotency key was used before cannot be found out now, so that nothing was published',
  )
}

/** A lookup that the event itself meets: by its indexed values. Of a topic without any, the whole window is searched. */
function likeOf<V>(topic: Topic<V>, draft: StreamEvent<V>): object {
  for (const [name, read] of topic.indexed) {
    const value = read(draft as StreamEvent)
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { [name]: value }
  }
  return {}
}
