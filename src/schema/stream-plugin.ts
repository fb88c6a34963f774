import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type FieldRef,
  type InputFieldMap,
  type InputShapeFromFields,
  type ObjectRef,
  type PothosOutputFieldConfig,
  type SchemaTypes,
  type ShapeFromTypeParam,
  SubscriptionFieldBuilder,
  type TypeParam,
} from '@pothos/core'
import type { GraphQLResolveInfo } from 'graphql'
import type { EventRecord, Gap, StreamEvent } from '../streams/event.ts'
import type { Position } from '../streams/feed/position.ts'
import { ThrottledIterator } from '../streams/throttle/throttled-iterator.ts'
import type { Topic } from '../streams/topic/topic.ts'
import type { WhereOf } from '../streams/topic/where.ts'
import type { Context } from './context.ts'
import type { FilterOptions, FilterRef } from './filter/filter-ref.ts'
import { Filters, type FiltersOption } from './filter/filters.ts'
import { eventValue } from './gap-error.ts'
import type { ScopeRule } from './rights/scope-rule.ts'
import { MAX_LAST, positionAt, startOf } from './start-position.ts'
import { type Callbacks, StreamDefinition } from './stream-definition.ts'
import { FILTER_ARGUMENT, STREAM_EXTENSION } from './stream-field.ts'
import { THROTTLE_ARGUMENT, throttlingOf } from './throttle.ts'

/** A field that streams a topic. `after`, `since`, `last` and `throttle` are added to its arguments. */
export interface StreamOptions<
  Types extends SchemaTypes,
  V,
  I,
  Type extends TypeParam<Types>,
  Nullable extends FieldNullability<Type>,
  Args extends InputFieldMap,
> {
  readonly topic: Topic<V, I>
  readonly type: Type
  readonly description?: string
  readonly deprecationReason?: string
  readonly nullable?: Nullable
  /** What it asks of credentials: see docs/security/authorization.md. */
  readonly authScopes?: ScopeRule
  readonly args?: Args
  /**
   * Equality on indexed values; all events, if absent. It is computed once for each group, before any event: what is to
   * be looked up of a record is an index function of the topic.
   */
  readonly where?: (args: InputShapeFromFields<Args>, context: Types['Context']) => WhereOf<NoInfer<I>>
  /**
   * The clients' filter, an argument `where` of conditions on the field's type: `false` leaves it out; `true` or a choice
   * of its fields demands it, so that the schema is not built where it cannot be; if absent, it is there if it can be.
   *
   * A field of the type can be filtered if its value comes from the event alone and at once: it has no arguments, its
   * resolver reads its source only and is not asynchronous, and its type is an object, an enum, a scalar that can be
   * compared (`comparedAs`), or a list of the latter two. The field's own `resolve` has to be such, too. No field named
   * `and`, `or`, `not` or `isNull` can be filtered.
   */
  readonly filters?: FiltersOption
  /** Predicate for every other condition. It is run once for each event and group, on the results of `where`. */
  readonly filter?: (
    value: V,
    args: InputShapeFromFields<Args>,
    context: Types['Context'],
    record: EventRecord,
  ) => boolean
  /** The field's value for an event; the event itself, if absent. May be asynchronous. */
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
      sluiceStream: StreamPlugin<Types>
    }

    export interface SchemaBuilder<Types extends SchemaTypes> {
      /**
       * The input type of conditions on an object type, for an argument of a field that is written by hand:
       * `t.arg({ type: OrderFilter })`. Its `select` reads the argument.
       */
      filterFor<V>(type: ObjectRef<Types, unknown, V>, options?: FilterOptions): FilterRef<Types, V>
    }

    export interface SubscriptionFieldBuilder<Types extends SchemaTypes, ParentShape> {
      /** A subscription field whose events come from a topic. */
      stream<
        V,
        I,
        Type extends TypeParam<Types>,
        Nullable extends FieldNullability<Type> = Types['DefaultFieldNullability'],
        const Args extends InputFieldMap = Record<never, never>,
      >(
        options: StreamOptions<Types, V, I, Type, Nullable, Args>,
      ): FieldRef<Types, ShapeFromTypeParam<Types, Type, Nullable>, 'Subscription'>
    }
  }
}

class StreamPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  /** Filters are made of the definitions of their types, all of which are there now. */
  override beforeBuild(): void {
    this.builder.configStore.prepareForBuild()
    const filters = Filters.of(this.builder)
    filters.prepare()
    for (const { kind, name } of [...this.builder.configStore.typeConfigs.values()]) {
      if (kind !== 'Subscription') continue
      for (const field of this.builder.configStore.getFields(name, 'Object').values()) {
        const stream = definitionOf(field)
        if (stream) stream.filter = filters.ofField(field as never, stream.filterRequest)
      }
    }
  }

  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const filter = definitionOf(field)?.filter
    if (!filter) return field
    const where = Filters.of(this.builder).argument(filter, field as never)
    return { ...field, args: { ...field.args, [FILTER_ARGUMENT]: where as never } }
  }
}

function definitionOf({ extensions }: { readonly extensions?: unknown }): StreamDefinition | undefined {
  const stream = (extensions as Record<string, unknown> | undefined)?.[STREAM_EXTENSION]
  return stream instanceof StreamDefinition ? stream : undefined
}

/** The plugin's name, for the builder's list of plugins. */
export const STREAM_PLUGIN = 'sluiceStream' as const

type AnyOptions = StreamOptions<SchemaTypes, unknown, unknown, TypeParam<SchemaTypes>, boolean, InputFieldMap>
type AnyBuilder = PothosSchemaTypes.SubscriptionFieldBuilder<SchemaTypes, unknown>

function stream(this: AnyBuilder, options: AnyOptions): unknown {
  const { topic, where, filter, resolve, args, filters, ...field } = options
  const definition = new StreamDefinition(topic as Topic, { where, filter, resolve } as Callbacks, filters)
  return this.field({
    ...field,
    args: {
      ...args,
      after: this.arg({ type: 'Cursor' as never, description: 'Start with what comes after this position.' }),
      since: this.arg({
        type: 'DateTime' as never,
        description: 'Start with the first event of this moment or later.',
      }),
      last: this.arg({
        type: 'Int',
        description: `Start with this many of the newest matching events that the gateway holds: at most ${MAX_LAST}.`,
      }),
      [THROTTLE_ARGUMENT]: this.arg({
        type: 'Throttle' as never,
        description: 'At most one event in an interval, for a display that needs no more.',
      }),
    },
    extensions: { [STREAM_EXTENSION]: definition },
    subscribe: (_root: unknown, given: Record<string, unknown>, context: Context, info: GraphQLResolveInfo) => {
      const start = startOf(given)
      const throttling = throttlingOf(given, info.parentType.getFields()[info.fieldName] as never, context.audience)
      const feed = context.streams.feed(topic as Topic)
      const select = definition.select(given, context)
      const { selection: where, test } = select
      const filter = test && ((_value: unknown, record: EventRecord) => test(record as StreamEvent))
      const open = (from?: Position) => {
        const options = { where, ...(filter && { filter }), ...(from && { from }) }
        const events = feed.subscribe(options) as AsyncIterable<StreamEvent | Gap, undefined>
        return throttling ? new ThrottledIterator(events, throttling) : events
      }
      const from = start && positionAt(feed, start, select, context.audience)
      return from instanceof Promise ? from.then(open) : open(from)
    },
    resolve: resolverOf(definition, resolve),
  } as never)
}

/** A function without arguments among its parameters: the compiler then does not create them. */
function resolverOf(definition: StreamDefinition, resolve: AnyOptions['resolve']) {
  if (!resolve) return eventValue
  const call = resolve as (...parameters: unknown[]) => unknown
  if (!definition.resolvesArguments) return (item: StreamEvent | Gap) => call(eventValue(item))
  return (item: StreamEvent | Gap, given: Record<string, unknown>, context: Context) =>
    call(eventValue(item), definition.ownArgs(given), context, item)
}

/** The filter of a type, for arguments of fields that are written by hand. */
function filterFor(this: unknown, type: unknown, options?: FilterOptions): unknown {
  return Filters.of(this).refOf(type, options)
}

SchemaBuilder.registerPlugin(STREAM_PLUGIN, StreamPlugin)
Object.assign(SubscriptionFieldBuilder.prototype, { stream })
Object.assign(SchemaBuilder.prototype, { filterFor })
