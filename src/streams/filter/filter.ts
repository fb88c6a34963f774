import type { Range } from '../topic/where.ts'

/** How the values of a field are compared. `object`: not at all, it can only be asked for null. */
export type FieldKind = 'text' | 'id' | 'number' | 'boolean' | 'enum' | 'decimal' | 'instant' | 'object'

/** A field of the output type, as a filter sees it. */
export interface FilterField {
  /** Of the output type, such as `total.amount`: it identifies the field in keys, explanations and errors. */
  readonly path: string
  /** Of an item, if it is a list. */
  readonly kind: FieldKind
  readonly isList: boolean
  /** The properties that lead from an event's value to it. Empty: the value itself. Undefined: only `read` knows. */
  readonly properties: readonly string[] | undefined
  readonly read: (value: unknown) => unknown
}

/**
 * A condition on events. Logic has two values: null equals nothing but null, so that "not equal" is met by null; ranges,
 * `startsWith`, `contains`, `hasAll` and `hasAny` are not met by null, nor by what cannot be compared (NaN, a text that
 * is no decimal). Decimals (text, numbers, bigints) are compared as decimals of any length, instants as times, ids as text, enums by their
 * internal value.
 */
export type Filter =
  /** All of none is true, any of none is false. */
  | { readonly kind: 'all'; readonly of: readonly Filter[] }
  | { readonly kind: 'any'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  /** Equality, with one value or several. Null may be among them. */
  | { readonly kind: 'in'; readonly field: FilterField; readonly values: readonly unknown[] }
  | { readonly kind: 'range'; readonly field: FilterField; readonly range: Range<unknown> }
  | { readonly kind: 'startsWith'; readonly field: FilterField; readonly text: string }
  | { readonly kind: 'contains'; readonly field: FilterField; readonly text: string }
  | { readonly kind: 'null'; readonly field: FilterField }
  /** Conditions on lists. */
  | { readonly kind: 'hasAll'; readonly field: FilterField; readonly values: readonly unknown[] }
  | { readonly kind: 'hasAny'; readonly field: FilterField; readonly values: readonly unknown[] }

/** A filter without `all`, `any` and `not`: a condition on one field. */
export type Test = Exclude<Filter, { readonly kind: 'all' | 'any' | 'not' }>
