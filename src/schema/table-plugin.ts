import SchemaBuilder, {
  BasePlugin,
  type FieldRef,
  type InputFieldMap,
  type InputShapeFromFields,
  QueryFieldBuilder,
  type SchemaTypes,
  type ShapeFromTypeParam,
  SubscriptionFieldBuilder,
  type TypeParam,
} from '@pothos/core'
import type { EventRecord } from '../streams/event.ts'
import type { TableItem } from '../streams/table/item.ts'
import type { Topic } from '../streams/topic/topic.ts'
import type { WhereOf } from '../streams/topic/where.ts'
import type { Context } from './context.ts'
import type { ScopeRule } from './rights/scope-rule.ts'
import { type Callbacks, StreamDefinition } from './stream-definition.ts'
import { STREAM_EXTENSION } from './stream-field.ts'
import { changeType } from './table-change.ts'

/** A field that shows a table, or rows of one. Rows are those of the topic, by the keys of its records. */
export interface TableOptions<
  Types extends SchemaTypes,
  V,
  I,
  Type extends TypeParam<Types>,
  Args extends InputFieldMap,
> {
  /** Defined with `table`. */
  readonly topic: Topic<V, I>
  /** The type of a row. */
  readonly type: Type
  readonly description?: string
  readonly deprecationReason?: string
  /** What it asks of credentials: see docs/security/authorization.md. */
  readonly authScopes?: ScopeRule
  readonly args?: Args
  /** Equality on indexed values; all rows, if absent. It is computed once for each group. */
  readonly where?: (args: InputShapeFromFields<Args>, context: Types['Context']) => WhereOf<NoInfer<I>>
  /** Predicate for every other condition. A row that no longer meets it is told as removed. */
  readonly filter?: (
    value: V,
    args: InputShapeFromFields<Args>,
    context: Types['Context'],
    record: EventRecord,
  ) => boolean
  /** The row for an event; the event's value, if absent. May be asynchronous. */
  readonly resolve?: (
    value: V,
    args: InputShapeFromFields<Args>,
    context: Types['Context'],
    record: EventRecord,
  ) => ShapeFromTypeParam<Types, Type, false> | Promise<ShapeFromTypeParam<Types, Type, false>>
}

export interface TableStreamOptions<
  Types extends SchemaTypes,
  V,
  I,
  Type extends TypeParam<Types>,
  Args extends InputFieldMap,
> extends TableOptions<Types, V, I, Type, Args> {
  /** The key as clients see it, for that of the record; the same, if absent. Different keys must stay different. */
  readonly key?: (key: string) => string
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      sluiceTable: TablePlugin<Types>
    }

    export interface SubscriptionFieldBuilder<Types extends SchemaTypes, ParentShape> {
      /** A subscription field that shows a table: all its rows, and then what changes. */
      table<V, I, Type extends TypeParam<Types>, const Args extends InputFieldMap = Record<never, never>>(
        options: TableStreamOptions<Types, V, I, Type, Args>,
      ): FieldRef<Types, unknown, 'Subscription'>
    }

    export interface QueryFieldBuilder<Types extends SchemaTypes, ParentShape> {
      /** A query field with the rows of a table, by their keys. */
      tableRows<V, I, Type extends TypeParam<Types>, const Args extends InputFieldMap = Record<never, never>>(
        options: TableOptions<Types, V, I, Type, Args>,
      ): FieldRef<Types, readonly ShapeFromTypeParam<Types, Type, false>[], 'Query'>
    }
  }
}

class TablePlugin<Types extends SchemaTypes> extends BasePlugin<Types> {}

/** The plugin's name, for the builder's list of plugins. */
export const TABLE_PLUGIN = 'sluiceTable' as const

type AnyOptions = TableStreamOptions<SchemaTypes, unknown, unknown, TypeParam<SchemaTypes>, InputFieldMap>
type AnySubscriptions = PothosSchemaTypes.SubscriptionFieldBuilder<SchemaTypes, unknown> & WithBuilder
type AnyQueries = PothosSchemaTypes.QueryFieldBuilder<SchemaTypes, unknown>
interface WithBuilder {
  readonly builder: PothosSchemaTypes.SchemaBuilder<SchemaTypes>
}

/** @throws TypeError for a topic that is no table. */
function definitionOf({ topic, where, filter, resolve }: AnyOptions): StreamDefinition {
  if (!topic.table) throw new TypeError(`The topic "${topic.name}" is not defined as a table`)
  return new StreamDefinition(topic as Topic, { where, filter, resolve } as Callbacks, false, true)
}

function table(this: AnySubscriptions, options: AnyOptions): unknown {
  const { topic, where: _where, filter: _filter, resolve, key, type, args, ...field } = options
  const definition = definitionOf(options)
  const shown = (item: TableItem, given: Record<string, unknown>, context: Context) => ({
    ...item,
    key: item.key === null || !key ? item.key : key(item.key),
    ...(resolve && { row: item.event && resolve(item.event.value, given as never, context as never, item.event) }),
  })
  return this.field({
    ...field,
    type: changeType(this.builder, type),
    nullable: false,
    args: {
      ...args,
      after: this.arg({ type: 'Cursor' as never, description: 'Start with what has changed since this position.' }),
    },
    extensions: { [STREAM_EXTENSION]: definition },
    subscribe: (_root: unknown, given: Record<string, unknown>, context: Context) => {
      const rows = context.streams.table(topic as Topic)
      rows.demandReady()
      // As `startOf`: an empty one is none.
      const after = (given.after as string | undefined) || undefined
      return rows.read({ ...definition.select(given, context), after })
    },
    // Without arguments, if it can be: the compiler then does not create them.
    resolve: resolve
      ? shown
      : key
        ? (item: TableItem) => ({ ...item, key: item.key === null ? null : key(item.key) })
        : (item: TableItem) => item,
  } as never)
}

function tableRows(this: AnyQueries, options: AnyOptions): unknown {
  const { topic, where: _where, filter: _filter, resolve, type, ...field } = options
  const definition = definitionOf(options)
  return this.field({
    ...field,
    type: [type],
    nullable: false,
    resolve: async (_root: unknown, given: Record<string, unknown>, context: Context) => {
      const rows = context.streams.table(topic as Topic)
      rows.demandReady()
      const events = await rows.rows(definition.select(given, context))
      return events.map((event) =>
        resolve ? resolve(event.value, given as never, context as never, event) : event.value,
      )
    },
  } as never)
}

SchemaBuilder.registerPlugin(TABLE_PLUGIN, TablePlugin)
Object.assign(SubscriptionFieldBuilder.prototype, { table })
Object.assign(QueryFieldBuilder.prototype, { tableRows })
