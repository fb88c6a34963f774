import { onTestFinished, vi } from 'vitest'

/** Of the made-up clock, for each unit of work that a test counts. */
const UNIT_MS = 0.1

/**
 * Counts units of work between turns of the event loop, on a clock that moves with each unit and by nothing else: so
 * how much is done in one turn does not depend on the machine.
 */
export function probeTurns() {
  let clock = 1_000
  let units = 0
  let longest = 0
  let turns = 0
  let isOver = false
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock)
  const look = (): void => {
    longest = Math.max(longest, units)
    if (units > 0) turns++
    units = 0
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  onTestFinished(() => {
    isOver = true
    now.mockRestore()
  })
  return {
    /** A unit of work was done. */
    work(): void {
      units++
      clock += UNIT_MS
    },
    get longest(): number {
      return Math.max(longest, units)
    },
    /** In which anything was done. */
    get turns(): number {
      return turns
    },
    /** Units that fit into so many milliseconds, and those that each piece of work does before it looks at the clock. */
    most: (ms: number, pieces = 1): number => Math.ceil(ms / UNIT_MS) + pieces * 16,
  }
}
