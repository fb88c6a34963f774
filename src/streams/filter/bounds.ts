import { SluiceError } from '../../errors/codes.ts'
import type { Filter, FilterField, Test } from './filter.ts'

/*
 * Bounds of one filter. What is within all of them is planned in a few milliseconds (test/streams/filter/bounds.test.ts)
 * and tested in some microseconds an event.
 */
/** Levels of `all`, `any` and `not`, of which a nested object is one: filters recurse when they are planned. */
export const MAX_DEPTH = 50
/** Conditions on fields: a form with two for each field of a large type has fewer. */
export const MAX_CONDITIONS = 100
/** Conditions, and what combines them. */
const MAX_PARTS = 1000
/** Values of all lists: as many as the combinations that are looked up for one subscription. */
export const MAX_VALUES = 1000
/** Characters of all texts: a thousand values of the length of a UUID, and room. */
export const MAX_CHARS = 65_536
/** Characters of a decimal number or a time: three times what the decimal types of databases hold. */
export const MAX_NUMBER_CHARS = 120

/**
 * Checks a filter, which may be nested to any depth.
 * @throws SluiceError `BAD_USER_INPUT` with the bound, and the path of the field where it is about one.
 */
export function demandBounds(filter: Filter): void {
  let conditions = 0
  let parts = 1
  let values = 0
  let chars = 0
  const open: { readonly filter: Filter; readonly depth: number }[] = [{ filter, depth: 0 }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { filter, depth } = next
    if (depth > MAX_DEPTH) refuse(`is nested deeper than ${MAX_DEPTH} levels`, MAX_DEPTH)
    if (filter.kind === 'not' || filter.kind === 'all' || filter.kind === 'any') {
      const inner = filter.kind === 'not' ? [filter.of] : filter.of
      parts += inner.length
      if (parts > MAX_PARTS) refuse(`has more than ${MAX_PARTS} parts`, MAX_PARTS)
      for (const part of inner) open.push({ filter: part, depth: depth + 1 })
    } else {
      if (++conditions > MAX_CONDITIONS) refuse(`has more than ${MAX_CONDITIONS} conditions`, MAX_CONDITIONS)
      const constants = constantsOf(filter)
      values += constants.length
      if (values > MAX_VALUES) refuse(`has more than ${MAX_VALUES} values`, MAX_VALUES, filter.field)
      for (const constant of constants) chars += charsOf(filter.field, constant)
      if (chars > MAX_CHARS) refuse(`has more than ${MAX_CHARS} characters`, MAX_CHARS, filter.field)
    }
  }
}

function constantsOf(test: Test): readonly unknown[] {
  switch (test.kind) {
    case 'null':
      return []
    case 'range':
      return [test.range.gt, test.range.gte, test.range.lt, test.range.lte].filter((bound) => bound !== undefined)
    case 'startsWith':
    case 'contains':
      return [test.text]
    default:
      return test.values
  }
}

function charsOf(field: FilterField, constant: unknown): number {
  if (typeof constant !== 'string') return 0
  if ((field.kind === 'decimal' || field.kind === 'instant') && constant.length > MAX_NUMBER_CHARS)
    refuse(`has a number of more than ${MAX_NUMBER_CHARS} characters`, MAX_NUMBER_CHARS, field)
  return constant.length
}

function refuse(what: string, limit: number, field?: FilterField): never {
  const subject = field ? `The filter, at "${field.path}",` : 'The filter'
  throw new SluiceError('BAD_USER_INPUT', `${subject} ${what}`, { limit, ...(field && { path: field.path }) })
}
