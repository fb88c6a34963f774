import type { MapOrderFragment } from '../gql/graphql.ts'
import { RecentOrders } from '../model/recent-orders.ts'
import { money } from './format.ts'
import { byId, setText } from './page.ts'

/** Limit of rows, for a 4k display; fewer are shown where the list is lower. */
const ROWS = 24
/** Rows shown while the list has no height. */
const FEWEST_ROWS = 6
/** More new rows than this at a time are not animated. */
const MOST_MOVES = 4
const STATUS_NAMES: Readonly<Record<MapOrderFragment['status'], string>> = {
  PLACED: 'Placed',
  PAID: 'Paid',
  SHIPPED: 'Shipped',
  CANCELLED: 'Cancelled',
}

interface Row {
  readonly element: HTMLTableRowElement
  readonly place: HTMLElement
  readonly merchant: HTMLAnchorElement
  readonly total: HTMLElement
  readonly status: HTMLElement
  shown: MapOrderFragment | undefined
  isOwn: boolean
}

/** The newest orders, one row each however often its status changes. The rows are made once. */
export class Ticker {
  readonly #recent = new RecentOrders(ROWS)
  readonly #rows: Row[] = []
  readonly #table: HTMLTableElement
  readonly #own: ReadonlySet<string>
  readonly #isStill: () => boolean
  /** Rows that fit. Rows beyond it are hidden, so that their links are not in the tab order. */
  #room = FEWEST_ROWS
  #isHeld = false
  #isDirty = false

  constructor(own: ReadonlySet<string>, isStill: () => boolean) {
    this.#own = own
    this.#isStill = isStill
    const host = byId('ticker')
    const table = host.closest('table') as HTMLTableElement
    restoreRoles(table)
    for (let i = 0; i < ROWS; i++) {
      const row = makeRow()
      host.append(row.element)
      this.#rows.push(row)
    }
    this.#table = table
    new ResizeObserver(() => this.#measure()).observe(table)
    const hold = byId<HTMLButtonElement>('hold')
    hold.addEventListener('click', () => {
      this.#isHeld = !this.#isHeld
      hold.setAttribute('aria-pressed', String(this.#isHeld))
      hold.textContent = this.#isHeld ? 'Go on' : 'Pause the list'
    })
  }

  #measure(): void {
    const { offsetHeight } = this.#rows[0]!.element
    // Nothing is shown yet, or the list is not.
    if (offsetHeight === 0) return
    this.#room = Math.max(FEWEST_ROWS, Math.ceil(this.#table.clientHeight / offsetHeight))
    this.#isDirty = true
  }

  add(order: MapOrderFragment): void {
    this.#recent.add(order)
    this.#isDirty = true
  }

  /** An order has turned out to be one's own: it may have come before the answer. */
  ownChanged(): void {
    this.#isDirty = true
  }

  clear(): void {
    this.#recent.clear()
    this.#isDirty = true
  }

  draw(): void {
    if (!this.#isDirty || this.#isHeld) return
    if (this.#room === FEWEST_ROWS) this.#measure()
    this.#isDirty = false
    const list = this.#recent.list()
    const before = new Set(this.#rows.map(({ shown }) => shown?.id))
    const moves = list.filter(({ id }) => !before.has(id)).length
    for (const [i, row] of this.#rows.entries()) {
      const order = i < this.#room ? list[i] : undefined
      const isNew = order !== undefined && !before.has(order.id)
      fill(row, order, order !== undefined && this.#own.has(order.id))
      if (isNew && moves <= MOST_MOVES && !this.#isStill()) {
        row.element.animate(
          [
            { opacity: 0, transform: 'translateY(-8px)' },
            { opacity: 1, transform: 'none' },
          ],
          220,
        )
      }
    }
  }
}

/** `display: grid` removes a table's roles from the accessibility tree. */
function restoreRoles(table: HTMLTableElement): void {
  const roles = { thead: 'rowgroup', tbody: 'rowgroup', tr: 'row', th: 'columnheader' }
  table.setAttribute('role', 'table')
  for (const [name, role] of Object.entries(roles)) {
    for (const element of table.querySelectorAll(name)) element.setAttribute('role', role)
  }
}

function makeRow(): Row {
  const element = document.createElement('tr')
  element.hidden = true
  element.setAttribute('role', 'row')
  const cell = (name: string) => {
    const made = element.insertCell()
    made.className = name
    made.setAttribute('role', 'cell')
    return made
  }
  const place = cell('place')
  const merchant = document.createElement('a')
  cell('merchant').append(merchant)
  return { element, place, merchant, total: cell('total'), status: cell('status'), shown: undefined, isOwn: false }
}

function fill(row: Row, order: MapOrderFragment | undefined, isOwn: boolean): void {
  row.element.hidden = order === undefined
  const isShown = order === row.shown && isOwn === row.isOwn
  row.shown = order
  row.isOwn = isOwn
  if (order === undefined || isShown) return
  row.element.dataset.region = order.region
  row.element.dataset.status = order.status
  row.element.classList.toggle('own', isOwn)
  setText(row.place, `${order.city}, ${order.country}`)
  setText(row.merchant, order.merchantId)
  row.merchant.href = `?${new URLSearchParams({ merchant: order.merchantId })}`
  setText(row.total, money(order.total.amount, order.total.currency))
  setText(row.status, isOwn ? `Yours, ${STATUS_NAMES[order.status].toLowerCase()}` : STATUS_NAMES[order.status])
}
