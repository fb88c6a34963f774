import { expect } from 'vitest'

/** How often each interesting case came up in a property test: a case that never did was not tested. */
export class Statistics {
  readonly #title: string
  readonly #counts = new Map<string, number>()

  constructor(title: string, cases: readonly string[]) {
    this.#title = title
    for (const name of cases) this.#counts.set(name, 0)
  }

  count(name: string, times = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + times)
  }

  /** Prints the counts, and fails for a case that never came up. */
  report(): void {
    const counts = [...this.#counts]
    console.log(`${this.#title}: ${counts.map(([name, times]) => `${name} ${times}`).join(', ')}`)
    expect(
      counts.filter(([, times]) => times === 0).map(([name]) => name),
      'cases that never came up',
    ).toEqual([])
  }
}
