import type { StreamEvent } from '../../streams/event.ts'
import type { Feed } from '../../streams/feed/feed.ts'
import type { Position } from '../../streams/feed/position.ts'
import type { OwnFrames } from '../frames/own-frames.ts'
import type { History } from './history.ts'

/** A position is compared with the group's now and then: that costs as much as a few frames. */
const CHECK_EVERY = 32
/** Events looked at in one go, of those that the group may select: less than a millisecond. */
const MAX_LOOKED = 2048

interface WindowPart {
  readonly seq: number
  readonly limit: number
  /** Whether the position, at this sequence number, is in order with the group: the rest is then read with others. */
  readonly isInOrder: (seq: number) => boolean
}

/**
 * Reads the window from `seq` to before `limit` for one member, whose position is not the group's: gathers frames of
 * unseen events until the write is large enough. A promise: continue when it is settled.
 */
export function readWindow(
  { feed, history }: { readonly feed: Feed; readonly history: History },
  position: Position,
  frames: OwnFrames,
  { seq, limit, isInOrder }: WindowPart,
): Promise<void> | undefined {
  let checked = seq
  let looked = 0
  for (let at = seq; ; at++) {
    at = history.next(at, limit)
    position.passTo(at)
    if (at === limit || looked++ === MAX_LOOKED) return undefined
    if (at - checked >= CHECK_EVERY) {
      if (isInOrder(at)) return undefined
      checked = at
    }
    const event = feed.window.at(at) as StreamEvent
    if (position.wants(event)) {
      if (at > seq && frames.isEnough) return undefined
      const json = history.jsonAt(at, limit)
      if (json instanceof Promise) return json
      position.take(event)
      if (json !== null) frames.add(position.cursor, json)
    }
    position.moveTo(at + 1)
  }
}
