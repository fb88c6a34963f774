import type { TopicPlan } from '../plan/plan.ts'

/** `gateway.ts`: what `sluice start` runs. */
export function gatewaySource(plans: readonly TopicPlan[]): string {
  const imports = plans.map(({ file }) => `import './schema/${file}.ts'`)
  return `${imports.join('\n')}
import { defineGateway } from 'sluice'
import { builder } from './schema/builder.ts'

/** Each import above registers a topic's field with the builder: a new topic is a line there. */
export default defineGateway({ schema: builder.toSchema() })
`
}

/** `topics/registry.ts`. The address is that of the command, without its credentials. */
export function registrySource(url: string): string {
  return `import { schemaRegistry } from 'sluice'

/** The schemas of records, by the ids in them. */
export const registry = schemaRegistry({
  url: process.env.SCHEMA_REGISTRY_URL ?? '${url}',
  ...(process.env.SCHEMA_REGISTRY_USERNAME !== undefined && {
    username: process.env.SCHEMA_REGISTRY_USERNAME,
    password: process.env.SCHEMA_REGISTRY_PASSWORD ?? '',
  }),
})
`
}
