import type { ObjectRef, SchemaTypes, TypeParam } from '@pothos/core'
import { TABLE_OPS, type TableItem } from '../streams/table/item.ts'

/** An item as the fields of a change type get it: `row` is absent where it is the event's value. */
export type ShownItem = TableItem & { readonly row?: unknown }

type AnyBuilder = PothosSchemaTypes.SchemaBuilder<SchemaTypes>
type ChangeRef = ObjectRef<SchemaTypes, ShownItem>

/** The change types of each builder, by name, and its enum. */
const types = new WeakMap<AnyBuilder, Map<string, ChangeRef>>()
const enums = new WeakMap<AnyBuilder, object>()

const DESCRIPTIONS = {
  RESET: 'Forget every row: all rows follow.',
  ROW: 'A row that is.',
  READY: 'All rows were told. From now on come changes.',
  UPSERT: 'A row was added or changed: it is as told now.',
  REMOVE: 'A row was removed, or is no longer among those asked for.',
} as const

/** The type `<Type>Change` of a table's items, one for each type of rows. */
export function changeType(builder: AnyBuilder, type: TypeParam<SchemaTypes>): ChangeRef {
  const rowType = nameOf(builder, type)
  const known = types.get(builder) ?? new Map<string, ChangeRef>()
  types.set(builder, known)
  let ref = known.get(rowType)
  if (ref) return ref
  const op = opType(builder)
  ref = builder.objectRef<ShownItem>(`${rowType}Change`).implement({
    description: `A change of a table of ${rowType}, or one of the rows with which it begins.`,
    fields: (t) => ({
      op: t.field({ type: op as never, nullable: false, resolve: (item) => item.op as never }),
      key: t.id({ nullable: true, description: 'The key of the row.', resolve: (item) => item.key as never }),
      row: t.field({
        type: type as never,
        nullable: true,
        description: 'The row, of ROW and UPSERT.',
        resolve: (item) => (item.row === undefined ? item.event?.value : item.row) as never,
      }),
    }),
  }) as ChangeRef
  known.set(rowType, ref)
  return ref
}

function opType(builder: AnyBuilder): object {
  let op = enums.get(builder)
  if (!op) {
    const values = Object.fromEntries(TABLE_OPS.map((name) => [name, { description: DESCRIPTIONS[name] }]))
    op = builder.enumType('TableOp', { description: 'What an item of a table says.', values })
    enums.set(builder, op)
  }
  return op
}

function nameOf(builder: AnyBuilder, type: TypeParam<SchemaTypes>): string {
  return typeof type === 'string' ? type : builder.configStore.getTypeConfig(type as never).name
}
