import type { Region } from '../gql/graphql.ts'
import type { Counts } from '../model/counts.ts'
import { indexOfRegion, REGION_NAMES, REGIONS } from '../model/regions.ts'
import type { Figures, Sales } from '../model/sales.ts'
import type { View } from '../model/view.ts'
import { describe } from './filters.ts'
import { compactCount, count, euros, wholeEuros } from './format.ts'
import { byId, part, setText } from './page.ts'
import { sparkPaths } from './spark.ts'

/** Of a sparkline, at most. */
const MINUTES = 30

interface Panel {
  readonly region: Region
  readonly button: HTMLButtonElement
  readonly parts: Readonly<Record<'rate' | 'sales' | 'hour' | 'seen', HTMLElement>>
  readonly line: SVGPathElement
  readonly area: SVGPathElement
  readonly cells: readonly HTMLTableCellElement[]
}

/** One panel for each region, which picks it; the sum of them; and the same as a table. */
export class RegionPanels {
  readonly #panels: readonly Panel[]
  readonly #sales: Sales
  readonly #counts: Counts
  /** What was drawn last. */
  total: Figures = { perMinute: 0, salesPerMinute: 0, orders: 0, sales: 0, minutes: [] }

  constructor(sales: Sales, counts: Counts, onPick: (region: Region) => void) {
    this.#sales = sales
    this.#counts = counts
    this.#panels = REGIONS.map((region) => makePanel(region, onPick))
  }

  mark(picked: Region | undefined): void {
    for (const { region, button } of this.#panels) button.setAttribute('aria-pressed', String(region === picked))
  }

  /** @param now by the gateway's clock, ms. */
  draw(now: number, { region: picked, merchant }: View): void {
    const { isReady } = this.#sales
    const sum = { perMinute: 0, salesPerMinute: 0, orders: 0, sales: 0 }
    for (const panel of this.#panels) {
      const figures = this.#sales.figures(panel.region, now, MINUTES)
      // Without the table, what came over the stream of orders says how many there are.
      const perMinute = isReady ? figures.perMinute : this.#lastMinute(panel.region)
      drawPanel(panel, { ...figures, perMinute }, this.#counts.placed[indexOfRegion[panel.region]] ?? 0, isReady)
      if (picked !== undefined && picked !== panel.region) continue
      sum.perMinute += perMinute
      sum.salesPerMinute += figures.salesPerMinute
      sum.orders += figures.orders
      sum.sales += figures.sales
    }
    this.total = { ...sum, minutes: [] }
    // The table has no merchants; the rate of a merchant is counted from the stream.
    const isOfMerchant = merchant !== undefined
    if (isOfMerchant) sum.perMinute = this.#panels.reduce((all, { region }) => all + this.#lastMinute(region), 0)
    for (const id of ['hero-sales', 'hero-hour']) byId(id).closest('div')?.toggleAttribute('hidden', isOfMerchant)
    setText(
      byId('hero-whose'),
      describe({ ...(picked && { region: picked }), ...(merchant && { merchant }) }) || 'Worldwide',
    )
    setText(byId('hero-orders'), compactCount(sum.perMinute))
    setText(byId('hero-sales'), isReady ? euros(sum.salesPerMinute) : '–')
    setText(byId('hero-hour'), isReady ? `${compactCount(sum.orders)} orders, ${euros(sum.sales)}` : '–')
  }

  #lastMinute(region: Region): number {
    return this.#counts.lastMinute(region, performance.now())
  }
}

function drawPanel({ parts, line, area, cells }: Panel, figures: Figures, seen: number, isReady: boolean): void {
  const perMinute = compactCount(figures.perMinute)
  setText(parts.rate, perMinute)
  setText(parts.sales, isReady ? euros(figures.salesPerMinute) : '–')
  setText(parts.hour, isReady ? `${compactCount(figures.orders)} in an hour` : '')
  setText(parts.seen, `${count(seen)} seen here`)
  // The current minute is incomplete and would show as a fall: the estimate of the last sixty seconds replaces it.
  const paths = sparkPaths([...figures.minutes.slice(0, -1), figures.perMinute])
  if (line.getAttribute('d') !== paths.line) {
    line.setAttribute('d', paths.line)
    area.setAttribute('d', paths.area)
  }
  const texts = [perMinute, wholeEuros(figures.salesPerMinute), count(figures.orders), wholeEuros(figures.sales)]
  for (const [i, text] of texts.entries()) setText(cells[i]!, text)
}

function makePanel(region: Region, onPick: (region: Region) => void): Panel {
  const template = byId<HTMLTemplateElement>('region-template')
  const item = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement
  const button = item.querySelector('button') as HTMLButtonElement
  button.dataset.region = region
  part(item, 'name').textContent = REGION_NAMES[region]
  button.addEventListener('click', () => onPick(region))
  byId('region-list').append(item)

  const row = byId<HTMLTableSectionElement>('figures').insertRow()
  const head = document.createElement('th')
  head.scope = 'row'
  head.textContent = REGION_NAMES[region]
  row.append(head)
  return {
    region,
    button,
    parts: { rate: part(item, 'rate'), sales: part(item, 'sales'), hour: part(item, 'hour'), seen: part(item, 'seen') },
    line: item.querySelector('.line') as SVGPathElement,
    area: item.querySelector('.area') as SVGPathElement,
    cells: Array.from({ length: 4 }, () => row.insertCell()),
  }
}
