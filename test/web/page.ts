import type { Page } from 'playwright-core'
import { until } from '../kit/until.ts'

type Region = 'AFRICA' | 'ASIA' | 'EUROPE' | 'NORTH_AMERICA' | 'OCEANIA' | 'SOUTH_AMERICA'

/** The part of what the page exports (`__liveMap.snapshot`, web/src/live-map.ts) that tests read. */
export interface Snapshot {
  readonly state: string
  readonly hasBegun: boolean
  readonly view: Readonly<Record<string, string>>
  readonly cursor: string
  readonly placed: Readonly<Record<Region, number>>
  readonly events: number
  readonly sales: Readonly<Record<Region, number>>
  readonly latency: { readonly count: number; readonly p50?: number; readonly p99?: number }
  readonly frames: {
    readonly count: number
    readonly dropped: number
    readonly longestMs: number
    readonly hasRings: boolean
  }
  readonly pulses: number
  readonly trial?: Readonly<Record<string, number>>
  readonly gaps: number
  readonly eventErrors: number
  readonly theme: string
}

export function snapshot(page: Page): Promise<Snapshot> {
  return page.evaluate(() => (globalThis as unknown as { __liveMap: { snapshot(): Snapshot } }).__liveMap.snapshot())
}

/** Presses the map at a place. */
export async function pressMap(page: Page, lon: number, lat: number): Promise<void> {
  const [x, y] = await page.evaluate(
    ([east, north]) =>
      (
        globalThis as unknown as { __liveMap: { pointOf(lon: number, lat: number): [number, number] } }
      ).__liveMap.pointOf(east, north),
    [lon, lat] as const,
  )
  await page.locator('#map').click({ position: { x, y } })
}

/** What a page complains of, and which hosts it asks. */
export interface Watched {
  readonly complaints: string[]
  readonly hosts: Set<string>
}

export function watch(page: Page): Watched {
  const watched: Watched = { complaints: [], hosts: new Set() }
  page.on('pageerror', (error) => watched.complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') watched.complaints.push(message.text())
  })
  page.on('request', (request) => watched.hosts.add(new URL(request.url()).host))
  return watched
}

/** Opens the page, and waits until its stream is, and has what it begins with. */
export async function openLive(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await untilLive(page)
}

export function untilLive(page: Page): Promise<void> {
  return until('the page is live', async () => {
    const { state, hasBegun } = await snapshot(page)
    return state === 'live' && hasBegun
  })
}

export const text = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).first().textContent()) ?? ''

/** How tests make the page believe that nobody looks: Chromium without a screen always says that somebody does. */
export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isHidden)
}
