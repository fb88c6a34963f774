import type { StreamEvent } from '../../../src/streams/event.ts'
import { approximately, type OrderKind } from '../../../src/streams/topic/ordered.ts'
import type { Selection, Where } from '../../../src/streams/topic/where.ts'
import { interpret } from './interpret.ts'
import { type Sale, sales } from './shop.ts'

/** Whether a value of `sales` is looked up; with bounds as the index has them, of doubles, or exactly. */
export function isFound(selection: Selection<Sale>, value: unknown, isExact: boolean): boolean {
  const alternatives: readonly Where<Sale>[] = Array.isArray(selection) ? selection : [selection as Where<Sale>]
  return alternatives.some((where) =>
    Object.entries(where).every(([name, condition]) => meets(name, condition, value, isExact)),
  )
}

function meets(name: string, condition: unknown, value: unknown, isExact: boolean): boolean {
  if (condition === undefined) return true
  const event = { value } as StreamEvent
  const order = sales.ordered.get(name)
  const isObject = typeof condition === 'object' && condition !== null
  if (order && isObject && !('in' in condition)) {
    if (isExact) {
      const field = { path: name, kind: order.kind, isList: false, properties: [name], read: () => order.value(event) }
      return interpret({ kind: 'range', field, range: condition }, value)
    }
    return isWithin(order.kind, condition as Readonly<Record<string, unknown>>, order.read(event))
  }
  const read = sales.indexed.get(name)
  if (!read) throw new TypeError(`The topic is not indexed by "${name}"`)
  const values: readonly unknown[] = isObject && 'in' in condition ? (condition.in as unknown[]) : [condition]
  return values.includes(read(event))
}

function isWithin(kind: OrderKind, range: Readonly<Record<string, unknown>>, place: number): boolean {
  return Object.entries(range).every(([operator, given]) => {
    const bound = approximately(kind, given)
    return given === undefined || (operator.startsWith('g') ? place >= bound : place <= bound)
  })
}
