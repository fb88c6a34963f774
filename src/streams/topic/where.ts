/**
 * Equality on indexed properties, all of which must hold: one value, or any of several. It is an index lookup, never a
 * scan. Every other condition belongs in a `filter`.
 */
export type Where<V, K extends string = string> = {
  readonly [P in K & keyof V]?: V[P] | { readonly in: readonly V[P][] }
}
