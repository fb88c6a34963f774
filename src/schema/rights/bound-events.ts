import { SluiceError } from '../../errors/codes.ts'
import type { StreamEvent } from '../../streams/event.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import type { Audience } from '../context.ts'
import { boundsOf } from './bounds.ts'

/**
 * Whether an audience may publish an event: what it could not read, it may not write either.
 * @throws SluiceError `FORBIDDEN` for an event outside of its bounds, and for a topic that is not told apart by them.
 */
export function demandWithinBounds<V>(topic: Topic<V>, event: StreamEvent<V>, { claims: { bounds } }: Audience): void {
  if (!bounds) return
  for (const { property, read, admits } of boundsOf(topic as Topic, bounds)) {
    if (admits(read(event as StreamEvent))) continue
    throw new SluiceError('FORBIDDEN', `The event's "${property}" is outside the bounds of these credentials`)
  }
}
