import type { MapOrderFragment } from '../gql/graphql.ts'
import { milliseconds } from './format.ts'

/** How long one's own order stays marked. */
const SHOWN_MS = 12_000

/** One's own order on the map, with the time that it took. */
export function markOwn(host: HTMLElement, order: MapOrderFragment, at: readonly [number, number], ms: number): void {
  const marker = document.createElement('div')
  marker.className = 'own-marker'
  const label = document.createElement('span')
  label.textContent = `Your order, ${milliseconds(ms)}`
  marker.append(label)
  marker.dataset.order = order.id
  marker.style.left = `${at[0]}px`
  marker.style.top = `${at[1]}px`
  // The label is towards the middle, so that it is not cut off.
  marker.classList.toggle('left', at[0] > host.clientWidth / 2)
  host.append(marker)
  setTimeout(() => marker.remove(), SHOWN_MS)
}
