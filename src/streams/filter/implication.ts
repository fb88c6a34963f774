import { hasOrder } from './canonical.ts'
import type { Condition, Operation } from './node.ts'
import { isInRange, isWithin } from './range.ts'

/** Whether a field whose value is this constant, canonical or null, meets a condition. */
export function meetsConstant({ field, operation, isNegated }: Condition, constant: unknown): boolean {
  return meets(operation) !== isNegated

  function meets(operation: Operation): boolean {
    switch (operation.op) {
      case 'in':
        return constant === null ? operation.hasNull : operation.values.has(constant)
      case 'range':
        return constant !== null && hasOrder(field.kind) && isInRange(field.kind, constant, operation)
      case 'startsWith':
        return typeof constant === 'string' && constant.startsWith(operation.text)
      case 'contains':
        return typeof constant === 'string' && constant.includes(operation.text)
      default:
        // Constants are no lists.
        return false
    }
  }
}

/** Whether no value meets both a condition and a negated one of the same field. They need not look at equality. */
export function contradicts({ field, operation }: Condition, { operation: negated }: Condition): boolean {
  switch (operation.op) {
    case 'range':
      return negated.op === 'range' && isWithin(field.kind, operation, negated)
    case 'startsWith':
      return 'text' in negated && (negated.op === 'contains' ? operation.text.includes(negated.text) : operation.text.startsWith(negated.text))
    case 'contains':
      return negated.op === 'contains' && operation.text.includes(negated.text)
    case 'hasAll':
      return hasAllContradicts(operation, negated)
    case 'hasAny':
      return negated.op === 'hasAny' && isSubset(operation, negated)
    case 'in':
      return false
  }
}
