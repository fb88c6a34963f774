/** Bounds of an ordered value, all of which must hold. One that is undefined is none. */
export interface Range<T> {
  readonly gt?: T
  readonly gte?: T
  readonly lt?: T
  readonly lte?: T
}

/**
 * Conditions on a topic's values by name, all of which must hold: on those of its index one value, or any of several;
 * on its ordered ones a range too. They are looked up, never asked of every event. Every other condition belongs in a
 * `filter`. `I` has the types of the values by name.
 */
export type Where<I> = {
  readonly [P in string & keyof I]?: I[P] | { readonly in: readonly I[P][] } | Range<I[P]>
}

/** One `Where`, or several of which an event has to meet one. An empty list selects nothing. */
export type Selection<I> = Where<I> | readonly Where<I>[]

/** As `Where`; empty for a topic without an index or order. */
export type WhereOf<I> = [keyof I] extends [never] ? { readonly [name: string]: never } : Where<I>
