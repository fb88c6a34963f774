import { REGION_NAMES } from '../model/regions.ts'
import { isFiltered, type View, viewOf } from '../model/view.ts'
import { byId, setText } from './page.ts'

/** The controls of a view, but for the panels, which pick a region. */
export class Filters {
  readonly #least = byId<HTMLInputElement>('least')
  readonly #currency = byId<HTMLSelectElement>('currency')
  readonly #onChange: (view: View) => void
  #view: View = {}

  constructor(onChange: (view: View) => void) {
    this.#onChange = onChange
    const form = byId<HTMLFormElement>('filters')
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#changed()
    })
    form.addEventListener('change', () => this.#changed())
    byId('view-clear').addEventListener('click', () => onChange({}))
  }

  show(view: View): void {
    this.#view = view
    if (document.activeElement !== this.#least) this.#least.value = view.least ?? ''
    this.#least.removeAttribute('aria-invalid')
    if (view.least !== undefined) this.#currency.value = view.currency ?? ''
    byId('view-chip').hidden = !isFiltered(view)
    setText(byId('view-text'), describe(view))
  }

  #changed(): void {
    const { least: _least, currency: _currency, ...rest } = this.#view
    const least = this.#least.value.trim().replace(',', '.')
    const search = new URLSearchParams({ least, currency: this.#currency.value })
    // An amount is valid if a URL with it would be.
    const amount = viewOf(`?${search}`)
    if (least !== '' && amount.least === undefined && Number(least) !== 0) {
      this.#least.setAttribute('aria-invalid', 'true')
      return
    }
    this.#onChange({ ...rest, ...amount })
  }
}

/** A view in words. */
export function describe({ region, merchant, least, currency }: View): string {
  const whose = merchant !== undefined ? `Merchant ${merchant}` : region !== undefined ? REGION_NAMES[region] : ''
  const amount = least !== undefined ? `at least ${least} ${currency ?? 'of any currency'}` : ''
  return [whose, amount].filter(Boolean).join(', ')
}
