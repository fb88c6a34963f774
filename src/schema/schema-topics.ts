import type { GraphQLSchema } from 'graphql'
import type { Topic } from '../streams/topic/topic.ts'
import { streamFieldOf } from './stream-field.ts'

/**
 * The topics behind the subscription fields of a schema, each once, in the order of the fields.
 * @throws Error where two different topics have one name.
 */
export function topicsOf(schema: GraphQLSchema, others: readonly Topic[] = []): readonly Topic[] {
  const topics = new Map<string, Topic>()
  const fields = Object.values(schema.getSubscriptionType()?.getFields() ?? {})
  for (const topic of [...fields.flatMap((field) => streamFieldOf(field)?.topic ?? []), ...others]) {
    const known = topics.get(topic.name) ?? topic
    if (known !== topic) throw new Error(`The topic "${topic.name}" is defined twice: import one definition everywhere`)
    topics.set(topic.name, topic)
  }
  return [...topics.values()]
}
