import { type Guess, UNKNOWN } from './place.ts'
import { isMoney } from './texts.ts'
import { hasWord, wordsOf } from './words.ts'

const MAX_INT = 2 ** 31 - 1
const MIN_INT = -(2 ** 31)

const TIME_WORDS = new Set(
  'at on time timestamp ts date datetime created updated modified deleted expires expiry when since until epoch'.split(
    ' ',
  ),
)
/** What is measured, not dated. */
const DURATION_WORDS = new Set(
  'duration elapsed lead timeout ttl age delay latency interval took count total'.split(' '),
)

/** Units of the epoch by magnitude: 1973 to 2286 in seconds, milliseconds and microseconds. */
const UNITS = [
  { as: 's', from: 1e8, to: 1e10, words: 'seconds' },
  { as: 'ms', from: 1e11, to: 1e13, words: 'milliseconds' },
  { as: 'us', from: 1e14, to: 1e16, words: 'microseconds' },
] as const

/** Decimals of an amount; what has more is measured. */
const MAX_AMOUNT_DECIMALS = 4

/** The shape of numbers, of which there is one at least. */
export function shapeOfNumbers(numbers: readonly number[], name: string): Guess {
  if (!numbers.every(Number.isFinite)) return { shape: UNKNOWN, doubt: 'Numbers that no double can hold were seen.' }
  const time = timeOf(numbers, name)
  if (time) return time
  if (!numbers.every(Number.isInteger)) {
    if (isMoney(name) && numbers.every((each) => decimalsOf(each) <= MAX_AMOUNT_DECIMALS)) {
      return {
        shape: { kind: 'decimal', as: 'number' },
        doubt: 'Amounts that are numbers: clients get them as decimal text.',
      }
    }
    return { shape: { kind: 'float' } }
  }
  if (numbers.every((each) => each >= MIN_INT && each <= MAX_INT)) {
    const isMoneyInt = isMoney(name)
    return {
      shape: { kind: 'int' },
      doubt: isMoneyInt
        ? 'Whole amounts were seen only: cents, or amounts that may have decimals (`z.number()`, Float)?'
        : undefined,
    }
  }
  if (numbers.every(Number.isSafeInteger)) return { shape: { kind: 'long', as: 'number' } }
  return {
    shape: { kind: 'float' },
    doubt:
      'Whole numbers beyond 2^53 were seen, which JSON numbers lose digits of: `jsonCodec({ numbers: "exact" })` keeps them.',
  }
}

function timeOf(numbers: readonly number[], name: string): Guess | undefined {
  const words = wordsOf(name)
  if (!words.some((word) => TIME_WORDS.has(word)) || hasWord(name, DURATION_WORDS)) return undefined
  // A zero is an unset time in many systems.
  const dated = numbers.filter((each) => each !== 0)
  if (dated.length === 0) return undefined
  const unit = UNITS.find(({ from, to }) => dated.every((each) => each >= from && each < to))
  // Fractions of milliseconds are nobody's times.
  if (!unit || (unit.as !== 's' && !numbers.every(Number.isInteger))) return undefined
  return {
    shape: { kind: 'time', as: unit.as },
    doubt: `Taken for ${unit.words} since the epoch, by name and size.`,
  }
}

function decimalsOf(value: number): number {
  const text = String(value)
  return text.includes('e') ? Number.POSITIVE_INFINITY : (text.split('.')[1]?.length ?? 0)
}
