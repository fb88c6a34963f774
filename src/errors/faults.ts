import type { Logger } from 'pino'
import { RateLimit } from './rate-limit.ts'

/** A fault of one kind comes with every event, or every second: one line of each says it. */
const LOG_INTERVAL_MS = 10_000

/** Where something was thrown that nobody is there to catch: a label's values, so there are few. */
export const FAULT_PLACES = [
  'client',
  'flush',
  'replay',
  'compiler',
  'pull',
  'stream',
  'capacity',
  'metrics',
  'listener',
] as const
export type FaultPlace = (typeof FAULT_PLACES)[number]

/**
 * What was thrown in a timer, a listener or a turn of its own. Whoever calls such a thing catches what it throws, ends the
 * one thing that it was about, and tells it here, where it is counted and logged at a limited rate.
 */
export class Faults {
  readonly counts: Partial<Record<FaultPlace, number>> = {}
  readonly #log: Logger
  readonly #limit = new RateLimit(LOG_INTERVAL_MS)

  constructor(log: Logger) {
    this.#log = log
  }

  /** Never throws. `about` says more of what it was about. */
  readonly tell = (place: FaultPlace, error: unknown, about: object = {}): void => {
    this.counts[place] = (this.counts[place] ?? 0) + 1
    this.#limit.tell((unlogged) => logError(this.#log, error, { place, ...about, unlogged }, 'Something failed'), place)
  }

  /** Does something, tells what it throws, and then does the other thing, if there is one. */
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
 * Logs what was thrown, whatever it is. A logger reads an error's properties, any of which may throw in its turn; then
 * the line has what can be had. Never throws: it is called where nobody is left to catch.
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
