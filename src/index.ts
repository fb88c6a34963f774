/**
 * The library's public names. Everything else is this package's own, and changes without notice.
 * The imports for their side effects keep the types that the plugins add to a builder in the declarations.
 */
import '@pothos/core'
import '@pothos/plugin-scope-auth'
import './schema/publish-plugin.ts'
import './schema/rights/scope-auth.ts'
import './schema/stream-plugin.ts'
import './schema/table-plugin.ts'
import './schema/unused-plugin.ts'

export type { Authorize } from './admission/authorization/rules-elsewhere.ts'
export { type Config, ConfigError, readConfig } from './config.ts'
export { type DefinitionOptions, type DemoFeedOptions, defineGateway, type GatewayDefinition } from './definition.ts'
export { SluiceError } from './errors/codes.ts'
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts'
export { type Builder, type BuilderOptions, createBuilder } from './schema/builder.ts'
export type { Audience, Bounds, Claims, Context } from './schema/context.ts'
export type { FieldCost } from './schema/field-cost.ts'
export { type Comparison, comparedAs } from './schema/filter/comparison.ts'
export type { ScalarDefinition, ScalarDefinitions } from './schema/own-scalars.ts'
export type { GraphiqlTab } from './server/pages/pages.ts'
export type { EventRecord, Gap, Progress, StreamEvent, StreamItem } from './streams/event.ts'
export type { Feed } from './streams/feed/feed.ts'
export { createEmbeddedLog, type EmbeddedLog } from './streams/source/embedded/embedded.ts'
export { createKafka, type KafkaLog } from './streams/source/kafka/kafka.ts'
export {
  type Batch,
  type OutgoingRecord,
  type Reader,
  type Sink,
  type Source,
  SourceUnavailable,
} from './streams/source/port.ts'
export { type Codec, type JsonOptions, json, jsonCodec } from './streams/topic/codec.ts'
export { defineTopic, type Topic, type TopicOptions } from './streams/topic/topic.ts'
