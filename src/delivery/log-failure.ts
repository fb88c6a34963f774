import type { Logger } from 'pino'

/**
 * Logs what was thrown, whatever it is. A logger reads an error's properties, any of which may throw in its turn; then
 * the line has what can be had. Never throws: it is called where nobody is left to catch.
 */
export function logFailure(
  log: Logger,
  error: unknown,
  message: string,
  fields: object = {},
  level: 'warn' | 'error' = 'error',
): void {
  try {
    log[level]({ err: error, ...fields }, message)
  } catch {
    log[level]({ err: describe(error), ...fields }, message)
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
