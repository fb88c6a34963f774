import type { SluiceClient } from '@sluice/client'
import type { MapOrderFragment } from '../gql/graphql.ts'
import { CITIES, type City, nearestCity } from '../model/cities.ts'
import { REGION_NAMES, REGIONS } from '../model/regions.ts'
import { newKey, placeOrder } from '../stream/place-order.ts'
import { milliseconds } from './format.ts'
import type { Notes } from './notes.ts'
import { refusal } from './overlay.ts'
import { byId, setText } from './page.ts'

/** Merchant of an own order, if the view has none. */
const MERCHANT = 'm_0042'
/** Default amounts by currency: large enough for a visible dot. */
const AMOUNT_OF_CURRENCY: Readonly<Record<string, string>> = { EUR: '129.90', USD: '149.00', GBP: '109.00' }
const AMOUNT = '2500'
const VALID_AMOUNT = /^\d{1,12}(\.\d{1,2})?$/

export interface OrderDialogOptions {
  readonly client: SluiceClient
  readonly notes: Notes
  merchant(): string | undefined
  /** Lets a place be chosen on the map; null: it was not. */
  pick(): Promise<readonly [number, number] | null>
  /** The answer has come. `startedAt` by `performance.now`, ms. */
  onPlaced(order: MapOrderFragment, startedAt: number): void
}

/** The form of one's own order, and what became of it. */
export class OrderDialog {
  readonly #options: OrderDialogOptions
  readonly #dialog = byId<HTMLDialogElement>('order-dialog')
  readonly #city = byId<HTMLSelectElement>('order-city')
  readonly #amount = byId<HTMLInputElement>('order-amount')
  readonly #items = byId<HTMLInputElement>('order-items')
  readonly #submit = byId<HTMLButtonElement>('order-submit')
  readonly #outcome = byId('order-outcome')
  /** Idempotency key: kept while the outcome is unknown, so that a retry does not place a second order. */
  #key = newKey()
  /** How long the last answer took, ms. */
  #answeredMs = 0

  constructor(options: OrderDialogOptions) {
    this.#options = options
    for (const region of REGIONS) {
      const group = document.createElement('optgroup')
      group.label = REGION_NAMES[region]
      for (const [i, city] of CITIES.entries()) {
        if (city.region === region) group.append(new Option(`${city.name}, ${city.country}`, String(i)))
      }
      this.#city.append(group)
    }
    this.#choose(CITIES.find(({ name }) => name === 'Amsterdam') ?? CITIES[0]!)
    this.#city.addEventListener('change', () => this.#choose(this.#chosen))
    for (const input of [this.#amount, this.#items]) input.addEventListener('input', () => this.#renew())
    byId('place').addEventListener('click', () => this.open())
    byId('order-pick').addEventListener('click', () => void this.#pick())
    byId('order-form').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#place()
    })
  }

  open(): void {
    setText(this.#outcome, '')
    this.#dialog.showModal()
  }

  /** The stream delivered it and the map drew it: the dialog closes, so that the marker is visible. */
  drawn(order: MapOrderFragment, ms: number): void {
    this.#dialog.close()
    const inLog = `was in the log after ${milliseconds(this.#answeredMs)}`
    this.#options.notes.say(
      `Your order from ${order.city} ${inLog}, and on your map after ${milliseconds(ms)}.`,
      '',
      'good',
    )
  }

  get #chosen(): City {
    return CITIES[Number(this.#city.value)] ?? CITIES[0]!
  }

  #choose(city: City): void {
    this.#city.value = String(CITIES.indexOf(city))
    setText(byId('order-currency'), city.currency)
    this.#amount.value = AMOUNT_OF_CURRENCY[city.currency] ?? AMOUNT
    this.#renew()
  }

  /** A changed form is a different order, with a new key. */
  #renew(): void {
    this.#key = newKey()
    setText(this.#submit, 'Place the order')
  }

  async #pick(): Promise<void> {
    this.#dialog.close()
    const place = await this.#options.pick()
    if (place) this.#choose(nearestCity(place))
    this.open()
  }

  async #place(): Promise<void> {
    const { client, merchant, onPlaced } = this.#options
    const { name: city, country, region, currency, lat, lon } = this.#chosen
    const amount = this.#amount.value.trim().replace(',', '.')
    if (!VALID_AMOUNT.test(amount)) return this.#say('The amount is a number such as 129.90.', 'bad')
    this.#submit.disabled = true
    this.#say('On its way …', '')
    const startedAt = performance.now()
    const placed = await placeOrder(client, {
      idempotencyKey: this.#key,
      merchantId: merchant() ?? MERCHANT,
      region,
      country,
      city,
      location: { lat, lon },
      total: { amount, currency },
      itemCount: Math.max(1, Number(this.#items.value) || 1),
    })
    this.#submit.disabled = false
    switch (placed.kind) {
      case 'placed':
        this.#renew()
        this.#answeredMs = placed.answeredMs
        this.#say(`In the log after ${milliseconds(placed.answeredMs)}. Waiting for it on the map …`, '')
        return onPlaced(placed.order, startedAt)
      case 'refused':
        return this.#say(wordsFor(placed.code, placed.message), 'bad')
      case 'unknown':
        setText(this.#submit, 'Send it again')
        return this.#say('No answer came. Sent again, it is still one order: it keeps its key.', 'bad')
    }
  }

  #say(text: string, tone: '' | 'good' | 'bad'): void {
    this.#outcome.dataset.tone = tone
    setText(this.#outcome, text)
  }

  /** The answer is there, but the view leaves the order out. */
  outOfView(order: MapOrderFragment): void {
    this.#say(
      `It is in the log as ${order.id}, and your filter leaves it out: show all orders to see such a one.`,
      'good',
    )
  }
}

function wordsFor(code: string, message: string): string {
  if (code === 'FORBIDDEN' || code === 'UNAUTHENTICATED') {
    return 'This gateway lets only those place orders whose credentials have the scope orders:write. Watching is free.'
  }
  return `It was not taken. ${refusal(code, message)}`
}
