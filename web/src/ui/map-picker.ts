import type { WorldMap } from '../map/world-map.ts'
import { byId } from './page.ts'

/** Lets the user choose a place on the map. @returns longitude, latitude; null after Escape, or for a point outside. */
export function pickPlace(host: HTMLElement, map: WorldMap): Promise<readonly [number, number] | null> {
  const hint = byId('pick')
  const ending = new AbortController()
  const { promise, resolve } = Promise.withResolvers<readonly [number, number] | null>()
  hint.hidden = false
  host.classList.add('picking')
  host.scrollIntoView({ block: 'nearest' })
  const end = (place: readonly [number, number] | null) => {
    ending.abort()
    hint.hidden = true
    host.classList.remove('picking')
    resolve(place)
  }
  const { signal } = ending
  host.addEventListener(
    'click',
    (event) => {
      // On a wall the page is zoomed: the map's own pixels are others than the pointer's.
      const { left, top, width, height } = host.getBoundingClientRect()
      const x = ((event.clientX - left) / width) * host.clientWidth
      const y = ((event.clientY - top) / height) * host.clientHeight
      end(map.placeAt(x, y))
    },
    { signal },
  )
  document.addEventListener('keydown', ({ key }) => key === 'Escape' && end(null), { signal })
  return promise
}
