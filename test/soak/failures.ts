/** What must not be. Failures of the same kind count together, with the first of them shown. */
const MAX_SHOWN = 40
const SIGNATURE_CHARS = 110

export class Failures {
  readonly #found = new Map<string, { example: string; times: number }>()

  /** `of`: where it was seen; no part of its kind. */
  add(wrong: string, of = ''): void {
    const signature = wrong.replaceAll(/\d+/g, 'n').slice(0, SIGNATURE_CHARS)
    const found = this.#found.get(signature)
    if (found) found.times++
    else this.#found.set(signature, { example: `${wrong}${of}`, times: 1 })
  }

  get shown(): string[] {
    return [...this.#found.values()]
      .slice(0, MAX_SHOWN)
      .map(({ example, times }) => (times === 1 ? example : `${times} × ${example}`))
  }
}
