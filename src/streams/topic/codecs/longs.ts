import { CodecFailure } from '../codec.ts'

export interface LongOptions {
  /**
   * What 64-bit integers become. `number`, the default: a record that has one which a number cannot hold is refused,
   * since rounding it would be silent. `text`: all of them are decimal text.
   */
  readonly longs?: 'number' | 'text' | undefined
}

/** The plain value of a 64-bit integer, by the option. @throws CodecFailure for one that would be rounded. */
export function longOf(value: number | bigint, longs: LongOptions['longs']): number | string {
  if (longs === 'text') return String(value)
  if (Number.isSafeInteger(value)) return value as number
  throw tooLong()
}

function tooLong(): CodecFailure {
  return new CodecFailure("A 64-bit integer is beyond 2^53: the codec's option `longs: 'text'` decodes it exactly")
}

/** @throws CodecFailure for what JSON has no number for. */
export function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw new CodecFailure('A floating-point number is infinite or not a number, which JSON cannot hold')
}
