import type { FieldKind } from '../../streams/filter/filter.ts'

/** What an operator takes. `value`: of the field's type; `flag`: true or false; `text`: a string. */
export type Operand = 'value' | 'values' | 'text' | 'flag'

export interface Operator {
  readonly operand: Operand
  readonly description: string
}

const EQUALITY: Readonly<Record<string, Operator>> = {
  eq: { operand: 'value', description: 'Is equal to this.' },
  ne: { operand: 'value', description: 'Is not equal to this.' },
}
const ONE_OF: Readonly<Record<string, Operator>> = {
  in: { operand: 'values', description: 'Is equal to one of these; to none, if the list is empty.' },
  notIn: { operand: 'values', description: 'Is equal to none of these.' },
}
const ORDER: Readonly<Record<string, Operator>> = {
  gt: { operand: 'value', description: 'Is greater than this.' },
  gte: { operand: 'value', description: 'Is greater than or equal to this.' },
  lt: { operand: 'value', description: 'Is less than this.' },
  lte: { operand: 'value', description: 'Is less than or equal to this.' },
}
const TIME: Readonly<Record<string, Operator>> = {
  gt: { operand: 'value', description: 'Is after this.' },
  gte: { operand: 'value', description: 'Is at this time or after it.' },
  lt: { operand: 'value', description: 'Is before this.' },
  lte: { operand: 'value', description: 'Is at this time or before it.' },
}
const TEXT: Readonly<Record<string, Operator>> = {
  startsWith: { operand: 'text', description: 'Starts with this, in the same case.' },
  contains: { operand: 'text', description: 'Contains this, in the same case.' },
}
const LIST: Readonly<Record<string, Operator>> = {
  has: { operand: 'value', description: 'Contains this.' },
  hasAny: { operand: 'values', description: 'Contains at least one of these.' },
  hasAll: { operand: 'values', description: 'Contains all of these; met by any list, if this one is empty.' },
}
/** Descriptions where null may be. */
const OF_NULL: Readonly<Record<string, string>> = {
  eq: 'Is equal to this; with `null`: there is no value.',
  ne: 'Is not equal to this, or there is no value; with `null`: there is a value.',
  notIn: 'Is equal to none of these, or there is no value.',
}
export const IS_NULL: Operator = { operand: 'flag', description: 'true: there is no value. false: there is one.' }

const OPERATORS: Readonly<Record<FieldKind, Readonly<Record<string, Operator>>>> = {
  text: { ...EQUALITY, ...ONE_OF, ...TEXT },
  id: { ...EQUALITY, ...ONE_OF },
  number: { ...EQUALITY, ...ONE_OF, ...ORDER },
  boolean: EQUALITY,
  enum: { ...EQUALITY, ...ONE_OF },
  decimal: { ...EQUALITY, ...ONE_OF, ...ORDER },
  instant: { ...EQUALITY, ...ONE_OF, ...TIME },
  object: {},
}

/** How the values of a kind are compared, for people to read. */
const COMPARED: Readonly<Record<FieldKind, string>> = {
  text: 'Strings are compared as they are: case matters.',
  id: 'IDs are compared as strings.',
  number: '',
  boolean: '',
  enum: '',
  decimal: 'Decimals are compared by what they mean, whatever their length: "1.0" equals "1.00".',
  instant: 'Times are compared as moments, whatever their offset.',
  object: '',
}

interface Filtered {
  readonly kind: FieldKind
  readonly isList: boolean
  readonly isNullable: boolean
}

export function operatorsOf({ kind, isList, isNullable }: Filtered): Readonly<Record<string, Operator>> {
  const own = isList ? LIST : OPERATORS[kind]
  if (!isNullable) return own
  const described = Object.entries(own).map(([name, operator]) => {
    return [name, { ...operator, description: OF_NULL[name] ?? operator.description }] as const
  })
  return { ...Object.fromEntries(described), isNull: IS_NULL }
}

/** Name of the input type of conditions on such a field. */
export function operatorTypeName({ typeName, isList, isNullable }: Filtered & { readonly typeName: string }): string {
  return `${isNullable ? 'Nullable' : ''}${typeName}${isList ? 'List' : ''}Filter`
}

/** Description of that type. */
export function describeOperators({ kind, typeName, isList, isNullable }: Filtered & { readonly typeName: string }) {
  const what = isList ? `a list of ${typeName}` : `a value of ${typeName}`
  const absent = isNullable ? ' that may be null' : ''
  return `Conditions on ${what}${absent}, all of which have to hold. ${COMPARED[kind]}`.trimEnd()
}
