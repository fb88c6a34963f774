import type { FieldKind } from '../../streams/filter/filter.ts'

/** How the values of a scalar compare. An enum's are equal or not, by their internal values. */
export type Comparison = Exclude<FieldKind, 'enum' | 'object'>

const COMPARISON_EXTENSION = 'sluiceComparison'

const BUILT_IN: Readonly<Record<string, Comparison>> = {
  String: 'text',
  ID: 'id',
  Int: 'number',
  Float: 'number',
  Boolean: 'boolean',
}

/**
 * The `extensions` of a scalar whose fields may be filtered: its internal values, of events as of clients, compare in
 * this way. A custom scalar without it cannot be filtered, because nothing says what "equal" means for its values.
 */
export function comparedAs(comparison: Comparison): Readonly<Record<string, Comparison>> {
  return { [COMPARISON_EXTENSION]: comparison }
}

/** Undefined: values of the scalar cannot be compared. */
export function comparisonOf(
  scalar: string,
  extensions: Readonly<Record<string, unknown>> | null | undefined,
): Comparison | undefined {
  return (extensions?.[COMPARISON_EXTENSION] as Comparison | undefined) ?? BUILT_IN[scalar]
}
