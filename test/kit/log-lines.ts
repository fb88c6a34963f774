import pino, { type Logger } from 'pino'

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** For tests that look at no log. */
export const silentLog: Logger = pino({ level: 'silent' })

/** A logger whose lines a test can read. */
export function recordedLog(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const log = pino({ level: 'trace', base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines }
}
