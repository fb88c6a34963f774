import { json } from '../streams/topic/codec.ts'
import type { Topic } from '../streams/topic/topic.ts'

/**
 * A topic as a log in memory has it. A codec that cannot encode, or that prepares itself by what is elsewhere, such as a
 * schema registry, gives way to JSON: a test says what the codec would have decoded.
 */
// biome-ignore lint/suspicious/noExplicitAny: topics of any events
export function memoryTopic<T extends Topic<any, any>>(topic: T): T {
  const { codec } = topic
  return codec.encode && !('prepare' in codec) ? topic : { ...topic, codec: json }
}
