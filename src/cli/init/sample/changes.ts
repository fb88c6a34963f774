import type { Field, ObjectShape, Shape } from '../../../streams/topic/shape.ts'
import type { Decoded } from './decoded.ts'

const OPERATIONS: Shape = { kind: 'enum', values: ['c', 'u', 'r', 'd'] }

/**
 * The shape of rows that Debezium tells the changes of. A deleted row has the columns of its key for certain: the others
 * are null or absent, as its table's replica identity says, whether or not a deletion was among the records.
 */
export function changeShape(value: Field, op: string, values: readonly Decoded[]): Field {
  const keys = keyColumns(values)
  const changed = ({ fields, ...rest }: ObjectShape): ObjectShape => ({
    ...rest,
    fields: new Map([
      ...[...fields]
        .filter(([name]) => name !== op)
        .map(([name, field]): [string, Field] => [
          name,
          keys.has(name) ? field : { ...field, isOptional: true, isNullable: true },
        ]),
      [op, { shape: OPERATIONS, isOptional: false, isNullable: false }] as const,
    ]),
  })
  const { shape } = value
  if (shape.kind === 'object') return { ...value, shape: changed(shape) }
  if (shape.kind !== 'union') return value
  return { ...value, shape: { ...shape, of: new Map([...shape.of].map(([kind, object]) => [kind, changed(object)])) } }
}

/** Columns that the keys of all records have, where these are JSON. */
function keyColumns(values: readonly Decoded[]): ReadonlySet<string> {
  let columns: Set<string> | undefined
  for (const { key } of values) {
    const own = new Set(namesIn(key))
    columns = columns === undefined ? own : new Set([...columns].filter((name) => own.has(name)))
  }
  return columns ?? new Set()
}

function namesIn(key: string | null): string[] {
  try {
    const value = JSON.parse(key ?? 'null')
    const columns = value?.payload ?? value
    return columns !== null && typeof columns === 'object' ? Object.keys(columns) : []
  } catch {
    return [] // a key in another format has no columns that could be named
  }
}

export const CHANGE_NOTE =
  'Changes of rows by Debezium. A deleted row (operation `d`) has the columns of its key; the others may be null then.'
