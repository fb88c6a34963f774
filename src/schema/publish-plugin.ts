import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type FieldRef,
  type InputFieldMap,
  type InputShapeFromFields,
  MutationFieldBuilder,
  type SchemaTypes,
  type ShapeFromTypeParam,
  type TypeParam,
} from '@pothos/core'
import type { GraphQLResolveInfo } from 'graphql'
import type { EventRecord } from '../streams/event.ts'
import type { Making } from '../streams/publish/publisher.ts'
import type { Topic } from '../streams/topic/topic.ts'
import type { Context } from './context.ts'
import { PUBLISH_EXTENSION } from './publish-field.ts'
import type { ScopeRule } from './rights/scope-rule.ts'

/** A mutation field that publishes one event to a topic, and answers when the log has acknowledged it. */
export interface PublishOptions<
  Types extends SchemaTypes,
  V,
  I,
  Type extends TypeParam<Types>,
  Nullable extends FieldNullability<Type>,
  Args extends InputFieldMap,
> {
  /** Defined with `key`. One that this gateway reads, where there are idempotency keys. */
  readonly topic: Topic<V, I>
  readonly type: Type
  readonly description?: string
  readonly deprecationReason?: string
  readonly nullable?: Nullable
  /** What it asks of credentials: see docs/security/authorization.md. Who is bound publishes within its bounds only. */
  readonly authScopes?: ScopeRule
  readonly args?: Args
  /**
   * The event's value, which the topic's schema validates. `making.id` is unique, and the same for a repeat with the same
   * idempotency key. May be asynchronous; a SluiceError refuses the event.
   */
  readonly event: (args: InputShapeFromFields<Args>, making: Making, context: Types['Context']) => V | Promise<V>
  /** The client's name for this event: a repeat with it gets the same event, and publishes none. */
  readonly idempotencyKey?: (args: InputShapeFromFields<Args>) => string | null | undefined
  /** The field's value for the event; the event itself, if absent. */
  readonly resolve?: (
    value: V,
    args: InputShapeFromFields<Args>,
    context: Types['Context'],
    record: EventRecord,
  ) => ShapeFromTypeParam<Types, Type, Nullable> | Promise<ShapeFromTypeParam<Types, Type, Nullable>>
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      sluicePublish: PublishPlugin<Types>
    }

    export interface MutationFieldBuilder<Types extends SchemaTypes, ParentShape> {
      /** A mutation field that publishes an event to a topic. */
      publish<
        V,
        I,
        Type extends TypeParam<Types>,
        Nullable extends FieldNullability<Type> = Types['DefaultFieldNullability'],
        const Args extends InputFieldMap = Record<never, never>,
      >(
        options: PublishOptions<Types, V, I, Type, Nullable, Args>,
      ): FieldRef<Types, ShapeFromTypeParam<Types, Type, Nullable>, 'Mutation'>
    }
  }
}

class PublishPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {}

/** The plugin's name, for the builder's list of plugins. */
export const PUBLISH_PLUGIN = 'sluicePublish' as const

type AnyOptions = PublishOptions<SchemaTypes, unknown, unknown, TypeParam<SchemaTypes>, boolean, InputFieldMap>
type AnyBuilder = PothosSchemaTypes.MutationFieldBuilder<SchemaTypes, unknown>

/** @throws TypeError for a topic to which nothing can be published. */
function publish(this: AnyBuilder, options: AnyOptions): unknown {
  const { topic, event, idempotencyKey, resolve, ...field } = options
  if (!topic.keyOf) throw new TypeError(`The topic "${topic.name}" is published to, and its definition names no key`)
  if (!topic.codec.encode) throw new TypeError(`The topic "${topic.name}" is published to, and its codec only decodes`)
  return this.field({
    ...field,
    extensions: { [PUBLISH_EXTENSION]: true },
    resolve: async (_root: unknown, args: Record<string, unknown>, context: Context, info: GraphQLResolveInfo) => {
      if (!context.publish) throw new TypeError('Only mutations can publish')
      const published = await context.publish({
        topic: topic as Topic,
        field: info.fieldName,
        idempotencyKey: idempotencyKey?.(args as never) ?? undefined,
        args,
        value: (making) => event(args as never, making, context as never),
      })
      return resolve ? resolve(published.value, args as never, context as never, published) : published.value
    },
  } as never)
}

SchemaBuilder.registerPlugin(PUBLISH_PLUGIN, PublishPlugin)
Object.assign(MutationFieldBuilder.prototype, { publish })
