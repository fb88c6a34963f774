import { SluiceError } from '../errors/codes.ts'
import type { Gap, StreamEvent } from '../streams/event.ts'

/** The value of an item as `resolve` sees it. @throws SluiceError `CURSOR_EXPIRED` for a gap. */
export function eventValue<V>(item: StreamEvent<V> | Gap): V {
  if (item.kind === 'gap') throw gapError([item])
  return item.value
}

const LEFT_OUT = 'Events from before the time that these credentials may read are left out'

/** The error that reports gaps of one topic to clients: the lost offsets by partition, for people to read. */
export function gapError(gaps: readonly Gap[]): SluiceError {
  const message = gaps.every(({ reason }) => reason === 'history') ? LEFT_OUT : undefined
  return new SluiceError('CURSOR_EXPIRED', message, {
    topic: gaps[0]?.topic,
    gaps: gaps.map(({ partition, from, to, reason }) => ({ partition, from, to, reason })),
  })
}
