import type { IncomingMessage } from 'node:http'

/** A moment, in milliseconds of the monotonic clock. */
type Moment = number

/** The answers that must not be seen where nothing but a planned restart goes on. */
const FAILURES = ['502', '503', '504']

/**
 * What came of all requests, phase by phase. Beside HTTP statuses: `told to wait`, a 200 without a first block, which
 * is what an EventSource gets in place of 502, 503 and 504; and the code of a connection that broke before its answer.
 */
export class Tally {
  /** When streams of resuming clients ended, and when these clients asked again. */
  readonly ends: Moment[] = []
  readonly returns: Moment[] = []
  readonly #answers = new Map<string, Map<string, number>>()
  readonly #reasons = new Map<string, number>()
  #phase = 'start'

  begin(phase: string): void {
    this.#phase = phase
  }

  answer(outcome: number | string): void {
    const counts = this.#answers.get(this.#phase) ?? new Map<string, number>()
    counts.set(String(outcome), (counts.get(String(outcome)) ?? 0) + 1)
    this.#answers.set(this.#phase, counts)
  }

  /** Another status than 200; reads why. */
  refusal(response: IncomingMessage): void {
    const phase = this.#phase
    this.answer(response.statusCode ?? 0)
    let body = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    response.on('close', () => {
      const message = /"message":"([^"]*)"/.exec(body)?.[1] ?? body
      const reason = `${phase}: ${response.statusCode} ${message}`
      this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
    })
  }

  of(phase: string): Record<string, number> {
    return Object.fromEntries([...(this.#answers.get(phase) ?? [])].sort())
  }

  /** One line a phase. */
  report(): string {
    const lines = [...this.#answers.keys()].map((phase) => {
      const counts = this.of(phase)
      const failures = FAILURES.map((status) => `${status}: ${counts[status] ?? 0}`)
      const others = Object.entries(counts).flatMap(([what, n]) => (FAILURES.includes(what) ? [] : `${what}: ${n}`))
      return `  ${phase}: ${[...others, ...failures].join(', ')}`
    })
    const reasons = [...this.#reasons].map(([reason, count]) => `    ${reason} (${count})`)
    return ['answers to clients, by phase:', ...lines, ...reasons].join('\n')
  }
}

/** The most moments that lie within a second of each other. */
export function mostInASecond(moments: readonly Moment[]): number {
  const sorted = [...moments].sort((a, b) => a - b)
  let most = 0
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while ((sorted[last] as Moment) - (sorted[first] as Moment) >= 1000) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

/** How many in each second since `begin`, as numbers in a row. */
export function histogram(moments: readonly Moment[], begin: Moment): string {
  const seconds: number[] = []
  for (const moment of moments) {
    const second = Math.floor((moment - begin) / 1000)
    seconds[second] = (seconds[second] ?? 0) + 1
  }
  return Array.from(seconds, (count) => count ?? 0).join(' ')
}
