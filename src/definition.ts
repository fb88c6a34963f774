import { GraphQLSchema } from 'graphql'
import type { Authorize } from './admission/authorization/rules-elsewhere.ts'
import { topicsOf } from './schema/schema-topics.ts'
import type { GraphiqlTab } from './server/pages/pages.ts'
import type { EmbeddedLog } from './streams/source/embedded/embedded.ts'
import type { Topic } from './streams/topic/topic.ts'

// biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
type AnyTopic = Topic<any, any>

/** What a gateway serves. Where and how is its configuration's matter. */
export interface DefinitionOptions {
  readonly schema: GraphQLSchema
  /** Topics that no subscription field streams, such as those that only queries read. */
  readonly topics?: readonly AnyTopic[] | undefined
  /** Rules of authorization that live elsewhere: see docs/security/authorization.md. */
  readonly authorize?: Authorize | undefined
  /** The folder of a built application, which is served at `/` where `LIVE_MAP` does not say otherwise. */
  readonly pages?: string | undefined
  /** What GraphiQL opens with; derived from the schema, if absent. */
  readonly graphiqlTabs?: readonly GraphiqlTab[] | undefined
  /** Fills the embedded log, where there is no Kafka. */
  readonly demoFeed?: DemoFeed | undefined
  /** Scopes of clients without credentials on a first run: with the demo feed, and without authentication. */
  readonly firstRunScopes?: readonly string[] | undefined
}

export interface DemoFeedOptions {
  readonly log: Pick<EmbeddedLog, 'source' | 'sink'>
  /** Events a second, of `DEMO_RATE`; 0: none. */
  readonly rate: number
  readonly seed: number
  /** It ends the feed. */
  readonly signal: AbortSignal
}
export type DemoFeed = (options: DemoFeedOptions) => Promise<void>

export interface GatewayDefinition extends DefinitionOptions {
  /** All topics: those of the schema's fields, and the others. */
  readonly topics: readonly AnyTopic[]
}

/**
 * Describes a gateway: the default export of the module that `sluice start` runs.
 * @throws Error that says what of it cannot be served.
 */
export function defineGateway(options: DefinitionOptions): GatewayDefinition {
  demandOurs(options.schema)
  return { ...options, topics: topicsOf(options.schema, options.topics) }
}

/** Types of one copy of graphql are foreign to another one. */
function demandOurs(schema: unknown): asserts schema is GraphQLSchema {
  if (schema instanceof GraphQLSchema) return
  throw new Error(
    'The schema is not of the copy of graphql that Sluice has: `npm ls graphql` shows where there are two, and ' +
      '`npm dedupe` leaves one',
  )
}
