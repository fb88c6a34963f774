import pino, { type Logger } from 'pino'

/** What is kept: a failed test names the newest. */
const MAX_LINES = 5

/** A log that shows nothing, and keeps its newest warnings and errors. */
export class RecentWarnings {
  readonly log: Logger
  readonly #lines: string[] = []

  constructor() {
    this.log = pino({ level: 'warn', base: null, timestamp: false }, { write: (line) => this.#keep(line) })
  }

  /** A sentence about them for an error; empty where there are none. */
  get sentence(): string {
    return this.#lines.length === 0 ? '' : `. The gateway's log: ${this.#lines.join(' ')}`
  }

  #keep(line: string): void {
    this.#lines.push(line.trim())
    if (this.#lines.length > MAX_LINES) this.#lines.shift()
  }
}
