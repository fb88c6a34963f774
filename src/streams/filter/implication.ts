import type { FieldKind } from './filter.ts'
import type { Condition, Operation } from './node.ts'
import { isInRange, isWithin } from './range.ts'

/** Whether a field whose value is this constant, canonical or null, meets a condition. */
export function meetsConstant({ field, operation, isNegated }: Condition, constant: unknown): boolean {
  return meets(field.kind, operation, constant) !== isNegated
}

function meets(kind: FieldKind, operation: Operation, constant: unknown): boolean {
  if (operation.op === 'in') return constant === null ? operation.hasNull : operation.values.has(constant)
  if (constant === null) return false
  switch (operation.op) {
    case 'range':
      return isInRange(kind, constant, operation)
    case 'startsWith':
      return (constant as string).startsWith(operation.text)
    case 'contains':
      return (constant as string).includes(operation.text)
    default:
      // Lists are no constants.
      return false
  }
}

/** Whether no value meets both a condition and a negated one of the same field; where neither is an equality. */
export function contradicts({ field, operation }: Condition, { operation: negated }: Condition): boolean {
  switch (operation.op) {
    case 'range':
      return negated.op === 'range' && isWithin(field.kind, operation, negated)
    case 'startsWith':
      if (negated.op === 'contains') return operation.text.includes(negated.text)
      return negated.op === 'startsWith' && operation.text.startsWith(negated.text)
    case 'contains':
      return negated.op === 'contains' && operation.text.includes(negated.text)
    case 'hasAll':
      if (negated.op === 'hasAny') return isOverlap(operation, negated)
      return negated.op === 'hasAll' && isSubset(negated, operation)
    case 'hasAny':
      return negated.op === 'hasAny' && isSubset(operation, negated)
    case 'in':
      return false
  }
}

interface Constants {
  readonly values: ReadonlySet<unknown>
  readonly hasNull: boolean
}

function isSubset(a: Constants, b: Constants): boolean {
  return a.values.isSubsetOf(b.values) && (b.hasNull || !a.hasNull)
}

function isOverlap(a: Constants, b: Constants): boolean {
  return !a.values.isDisjointFrom(b.values) || (a.hasNull && b.hasNull)
}
