/** What the iterator of a hand-written subscription of `traps.ts` does. */
export const ITERATORS = [
  'THROWS_ERROR',
  'THROWS_GRAPHQL_ERROR',
  'THROWS_NOTHING',
  'REFUSES',
  'REFUSES_GRAPHQL_ERROR',
  'IS_NONE',
  'RETURN_THROWS',
  'RETURN_HANGS',
  'NEVER_YIELDS',
  'FLOODS',
] as const
