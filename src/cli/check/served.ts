import type { GraphQLFieldMap } from 'graphql'
import type { GatewayDefinition } from '../../definition.ts'
import { streamFieldOf } from '../../schema/stream-field.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import { type Finding, found, topicNamed } from './finding.ts'

/** What the definition says: topics, and the fields that serve them. */
export function checkServed({ schema, topics }: GatewayDefinition): Finding[] {
  const fields: GraphQLFieldMap<unknown, unknown> = schema.getSubscriptionType()?.getFields() ?? {}
  const names = Object.keys(fields)
  const findings = topics.map((topic) => {
    const streams = names.filter((name) => fields[name] && streamFieldOf(fields[name])?.topic === topic)
    const served = streams.length > 0 ? `served as ${streams.join(', ')}` : 'read by queries only'
    return found('ok', topicNamed(topic.name), [served, ...detailsOf(topic)].join('; '))
  })
  if (topics.length === 0) findings.push(found('problem', 'schema', 'No subscription field streams a topic'))
  for (const name of names) {
    if (fields[name] && !streamFieldOf(fields[name]))
      findings.push(
        found('note', 'schema', `${name} has a subscribe function of its own: no cursor, a group per client`),
      )
  }
  return findings
}

function detailsOf({ indexed, ordered, table, isRequired, deadLetterTopic }: Topic): string[] {
  const lookups = [...new Set([...indexed.keys(), ...ordered.keys()])]
  return [
    lookups.length > 0 ? `looked up by ${lookups.join(', ')}` : 'no index: each filter is asked about each event',
    ...(table ? ['a table'] : []),
    ...(isRequired ? [] : ['optional for readiness']),
    ...(deadLetterTopic === undefined ? [] : [`dead letters to ${deadLetterTopic}`]),
  ]
}
