import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type FieldRef,
  type InputFieldMap,
  type InputShapeFromFields,
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
import { atOnce } from './at-once.ts'
import type { Context } from './context.ts'
import { eventValue } from './gap-error.ts'
import { MAX_LAST, positionSince, startOf } from './start-position.ts'
import { STREAM_EXTENSION, type StreamField } from './stream-field.ts'
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
  readonly args?: Args
  /**
   * Equality on indexed values; all events, if absent. It is computed once for each group, before any event: what is to
   * be looked up of a record is an index function of the topic.
   */
  readonly where?: (args: InputShapeFromFields<Args>, context: Types['Context']) => WhereOf<NoInfer<I>>
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

class StreamPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {}

/** The plugin's name, for the builder's list of plugins. */
export const STREAM_PLUGIN = 'sluiceStream' as const

type AnyOptions = StreamOptions<SchemaTypes, unknown, unknown, TypeParam<SchemaTypes>, boolean, InputFieldMap>
type AnyBuilder = PothosSchemaTypes.SubscriptionFieldBuilder<SchemaTypes, unknown>

function stream(this: AnyBuilder, options: AnyOptions): unknown {
  const { topic, where, filter, resolve, args, ...field } = options
  const streamField: StreamField = {
    topic,
    where: (given, context) => (where ? atOnce(where(given as never, context as never), 'where') : {}),
    filter:
      filter &&
      ((value, given, context, record) => atOnce(filter(value, given as never, context as never, record), 'filter')),
    resolvesArguments: resolve !== undefined,
    resolve: resolve as StreamField['resolve'],
  }
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
    extensions: { [STREAM_EXTENSION]: streamField },
    subscribe: (_root: unknown, given: Record<string, unknown>, context: Context, info: GraphQLResolveInfo) => {
      const start = startOf(given)
      const throttling = throttlingOf(given, info.parentType.getFields()[info.fieldName] as never)
      const feed = context.streams.feed(topic)
      const predicate = streamField.filter
      const where = streamField.where(given, context)
      const filter = predicate && ((value: unknown, record: EventRecord) => predicate(value, given, context, record))
      const open = (from?: Position) => {
        const options = { where, ...(filter && { filter }), ...(from && { from }) }
        const events = feed.subscribe(options) as AsyncIterable<StreamEvent | Gap, undefined>
        return throttling ? new ThrottledIterator(events, throttling) : events
      }
      if (!start) return open()
      if ('after' in start) return open(feed.startAfter(start.after))
      if ('since' in start) return positionSince(feed, start.since).then(open)
      const passes = (event: StreamEvent) => filter?.(event.value, event) ?? true
      return feed.findLast(start.last, passes, where).then(open)
    },
    // `eventValue` ignores the arguments: the compiler then does not create them.
    resolve: resolve
      ? (item: StreamEvent | Gap, given: Record<string, unknown>, context: Context) =>
          resolve(eventValue(item), given as never, context, item as StreamEvent)
      : eventValue,
  } as never)
}

SchemaBuilder.registerPlugin(STREAM_PLUGIN, StreamPlugin)
Object.assign(SubscriptionFieldBuilder.prototype, { stream })
