import type { Field, ObjectShape, Shape } from '../../shape.ts'
import type { DebeziumOptions } from './debezium-codec.ts'

const OPERATIONS: Shape = { kind: 'enum', values: ['c', 'u', 'r', 'd'] }

/**
 * The shape of what `debeziumCodec` makes of changes of this shape. With deletions as events, columns may be null or
 * absent: a deleted row has what its table's replica identity says.
 * @throws Error for a shape that is not that of changes.
 */
export function shapeOfChange(change: Shape, options: DebeziumOptions = {}): ObjectShape {
  const fields = change.kind === 'object' ? change.fields : undefined
  const row = fields?.get('after')?.shape ?? fields?.get('before')?.shape
  if (!fields || row?.kind !== 'object') throw new Error('The shape is not that of Debezium’s changes: it has no row')
  const { op = 'op', source = 'source', deletes = 'event' } = options
  const columns = [...row.fields].map(([name, field]): [string, Field] => [
    name,
    deletes === 'event' ? { ...field, isOptional: true, isNullable: true } : field,
  ])
  const origin = fields.get('source')
  return {
    ...row,
    fields: new Map([
      ...columns,
      [op, { shape: OPERATIONS, isOptional: false, isNullable: false }],
      ...(source !== false && origin ? [[source, { ...origin, isNullable: true }] as const] : []),
    ]),
  }
}
