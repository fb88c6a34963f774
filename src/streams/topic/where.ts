/**
 * Equality on indexed values, all of which must hold: one value, or any of several. It is an index lookup, never a scan.
 * Every other condition belongs in a `filter`. `I` has the types of the indexed values by name.
 */
export type Where<I> = {
  readonly [P in string & keyof I]?: I[P] | { readonly in: readonly I[P][] }
}

/** As `Where`; empty for a topic without an index. */
export type WhereOf<I> = [keyof I] extends [never] ? { readonly [name: string]: never } : Where<I>
