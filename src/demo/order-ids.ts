import type { Random } from './random.ts'

/** Base 36: 9 digits of milliseconds last beyond the year 5000, 3 number the orders of one of them. */
const TIME_DIGITS = 9
const SEQUENCE_DIGITS = 3
const SEQUENCES = 36 ** SEQUENCE_DIGITS

/** Tells apart the ids of two feeds that run at the same time with different seeds. */
const FEED_DIGITS = 4

/**
 * Unique, ascending order ids, also as text: `ord_` + time + number within the time + feed. `now` in ms. An id has the
 * next time if the numbers of one are exhausted, or if the clock was set back.
 */
export function createOrderIds(random: Random): (now: number) => string {
  const feed = base36(Math.floor(random.float() * 36 ** FEED_DIGITS), FEED_DIGITS)
  let time = 0
  let sequence = 0

  return (now) => {
    const whole = Math.floor(now)
    if (whole > time) {
      time = whole
      sequence = 0
    } else if (++sequence === SEQUENCES) {
      time++
      sequence = 0
    }
    return `ord_${base36(time, TIME_DIGITS)}${base36(sequence, SEQUENCE_DIGITS)}${feed}`
  }
}

function base36(value: number, digits: number): string {
  return value.toString(36).padStart(digits, '0')
}
