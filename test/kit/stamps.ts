/**
 * Timestamps that a log may hold, whatever sense they make: some producers stamp in microseconds, the oldest format of
 * records has none, and an embedded log takes what it is given.
 */
export const STAMPS = {
  microseconds: 1_795_323_018_371_000,
  nanoseconds: 1_795_323_018_371_000_000,
  'beyond 48 bits': 2 ** 48,
  'beyond any number of milliseconds': Number.MAX_VALUE,
  infinite: Number.POSITIVE_INFINITY,
  'not a number': Number.NaN,
  'before 1970': -86_400_000,
  'none, as Kafka says it': -1,
  'a fraction': 1_795_323_018_371.5,
} as const

export type StampName = keyof typeof STAMPS
export const STAMP_NAMES = Object.keys(STAMPS) as StampName[]
