import type { Logger } from 'pino'
import { RateLimit } from './rate-limit.ts'

/** Rate limit of log lines: a fault may recur with every event, or every second. */
const LOG_INTERVAL_MS = 10_000

/** Places of contained exceptions: values of a metric's label, so there are few. */
export const FAULT_PLACES = [
  'client',
  'flush',
  'replay',
  'throttle',
  'compiler',
  'pull',
  'stream',
  'capacity',
  'metrics',
  'listener',
] as const
export type FaultPlace = (typeof FAULT_PLACES)[number]

/**
 * Contained exceptions of timers, listeners and other callbacks without a caller that could handle them. The place that
 * catches one ends what it concerned, and reports it here. It is counted, and logged at a limited rate.
 */
export class Faults {
  readonly counts: Partial<Record<FaultPlace, number>> = {}
  readonly #log: Logger
  readonly #limit = new RateLimit(LOG_INTERVAL_MS)

  constructor(log: Logger) {
    this.#log = log
  }

  /** Never throws. `about` has details for the log. */
  readonly tell = (place: FaultPlace, error: unknown, about: object = {}): void => {
    this.counts[place] = (this.counts[place] ?? 0) + 1
    this.#limit.tell((unlogged) => logError(this.#log, error, { place, ...about, unlogged }, 'Something failed'), place)
  }

  /** Runs `act`. If it throws, reports that, and runs `otherwise`, if given. */
  contain(place: FaultPlace, act: () => void, otherwise?: () => void): void {
    try {
      act()
    } catch (error) {
      this.tell(place, error)
      if (otherwise) this.contain(place, otherwise)
    }
  }
}

/**
 * Logs any thrown value. A logger reads an error's properties, any of which may throw; the line then has what could be
 * read. Never throws: no caller could handle it.
 */
export function logError(
  log: Logger,
  error: unknown,
  about: object,
  message: string,
  level: 'warn' | 'error' = 'error',
): void {
  try {
    log[level]({ err: error, ...about }, message)
  } catch {
    log[level]({ err: describe(error), ...about }, message)
  }
}

function describe(error: unknown): object {
  return { type: typeof error, message: textOf(error, 'message'), stack: textOf(error, 'stack') }
}

function textOf(error: unknown, name: 'message' | 'stack'): string | undefined {
  try {
    const value = (error as Record<string, unknown> | null | undefined)?.[name]
    return value === undefined ? undefined : String(value)
  } catch {
    return undefined
  }
}
