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
export {
  type Codec,
  CodecFailure,
  CodecUnavailable,
  type JsonOptions,
  json,
  jsonCodec,
  TOMBSTONE,
} from './streams/topic/codec.ts'
export { type AvroOptions, avroCodec } from './streams/topic/codecs/avro/avro-codec.ts'
export { type AvroShapeOptions, shapeOfAvro } from './streams/topic/codecs/avro/avro-shape.ts'
export { connectCodec } from './streams/topic/codecs/connect/connect-codec.ts'
export { type DebeziumOptions, debeziumCodec } from './streams/topic/codecs/connect/debezium-codec.ts'
export { shapeOfChange } from './streams/topic/codecs/connect/debezium-shape.ts'
export { type DefinitionShapeOptions, shapeOfDefinition } from './streams/topic/codecs/definition-shape.ts'
export { shapeOfJsonSchema } from './streams/topic/codecs/json-schema/json-schema-shape.ts'
export type { LongOptions } from './streams/topic/codecs/longs.ts'
export { type ProtobufOptions, protobufCodec } from './streams/topic/codecs/protobuf/proto-codec.ts'
export type { ProtoFile } from './streams/topic/codecs/protobuf/proto-schema.ts'
export { type ProtobufShapeOptions, shapeOfProtobuf } from './streams/topic/codecs/protobuf/proto-shape.ts'
export type { Definition, Reference, SchemaType } from './streams/topic/codecs/registry/definition.ts'
export { type RegistryCodecOptions, registryCodec } from './streams/topic/codecs/registry/registry-codec.ts'
export {
  type SchemaRegistry,
  type SchemaRegistryOptions,
  type SubjectDefinition,
  schemaRegistry,
} from './streams/topic/codecs/registry/schema-registry.ts'
export { zodOf } from './streams/topic/codecs/zod-of.ts'
export type { Field, ObjectShape, Shape } from './streams/topic/shape.ts'
export { defineTopic, type Topic, type TopicOptions } from './streams/topic/topic.ts'
