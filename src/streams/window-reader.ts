import type { Vector } from './cursor.ts'
import type { Gap, StreamEvent } from './event.ts'
import type { Feed } from './feed.ts'
import type { Restart } from './window.ts'

/**
 * A position in a feed's window, for those who cannot take events as they come and read on at their own pace. It
 * keeps nothing but the position; what the window lets go of before it is read is a gap, one for each partition.
 */
export class WindowReader<V> {
  readonly #feed: Feed<V>
  readonly #vector: number[]
  readonly #restarts: (Restart | undefined)[]
  #restartCount: number
  #seq: number

  /**
   * Reads on from what the feed has passed; or, if it is just being told of `event`, with that one: then `seq` is its
   * place in the window.
   */
  constructor(feed: Feed<V>, event?: StreamEvent<V>, seq: number = feed.window.nextSeq) {
    this.#feed = feed
    this.#seq = seq
    this.#vector = [...feed.head]
    if (event) this.#vector[event.partition] = event.offset
    this.#restarts = [...feed.window.restarts]
    this.#restartCount = feed.window.restartCount
  }

  /** Next wanted offset of each partition: what has been read, or passed over because it does not match. */
  get vector(): Vector {
    return this.#vector
  }

  /** The next event that matches, or what is missing before it; undefined at the end of what there is. */
  next(matches: (event: StreamEvent<V>) => boolean): StreamEvent<V> | Gap | undefined {
    const { window } = this.#feed
    if (this.#seq < window.firstSeq || this.#restartCount !== window.restartCount) {
      const gap = this.#fallenOff()
      if (gap) return gap
      this.#seq = window.firstSeq
      this.#restartCount = window.restartCount
    }
    while (this.#seq < window.nextSeq) {
      const event = window.at(this.#seq++) as StreamEvent<V>
      if (event.offset < (this.#vector[event.partition] ?? 0)) continue
      this.#vector[event.partition] = event.offset + 1
      if (matches(event)) return event
    }
    return undefined
  }

  /** What the window no longer has of one partition; undefined: nothing is missing in any. */
  #fallenOff(): Gap | undefined {
    const { head, window, topic } = this.#feed
    for (let partition = 0; partition < head.length; partition++) {
      const from = Math.max(0, this.#vector[partition] ?? 0)
      const restart = window.restarts[partition]
      const restarted = restart !== undefined && restart !== this.#restarts[partition]
      const to = restarted ? restart.offset : (window.floor(partition) ?? 0)
      if (from >= to && !restarted) continue
      this.#vector[partition] = to
      this.#restarts[partition] = restart
      const reason = restarted ? 'truncation' : 'retention'
      return { kind: 'gap', topic: topic.name, partition, from, to, reason }
    }
    return undefined
  }
}
