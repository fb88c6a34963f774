import { expect } from 'vitest'

/**
 * How often each kind of question was asked and answered with yes. A question that nearly all or nearly no events meet
 * tests little.
 */
export class Rates {
  readonly #title: string
  readonly #asked = new Map<string, { asked: number; met: number }>()

  constructor(title: string) {
    this.#title = title
  }

  ask(name: string, isMet: boolean): void {
    const counts = this.#asked.get(name) ?? { asked: 0, met: 0 }
    this.#asked.set(name, counts)
    counts.asked++
    if (isMet) counts.met++
  }

  /** Prints the rates, and fails for one of `names` below a tenth or above nine tenths. */
  report(names: readonly string[]): void {
    const rates = [...this.#asked].map(([name, { asked, met }]) => [name, met / asked, asked] as const)
    const printed = rates.map(([name, rate, asked]) => `${name} ${rate.toFixed(2)} of ${asked}`)
    console.log(`${this.#title}: ${printed.toSorted().join(', ')}`)
    const known = new Map(rates.map(([name, rate]) => [name, rate]))
    const useless = names.filter((name) => !((known.get(name) ?? 0) >= 0.1 && (known.get(name) ?? 1) <= 0.9))
    expect(useless, 'met by nearly all or nearly none').toEqual([])
  }
}
