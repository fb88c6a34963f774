import type { Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { createOrderFeed } from '../../src/demo/orders-feed.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import type { BuiltPage } from './built-page.ts'
import { openLive, snapshot } from './page.ts'

const RATE = 500
const BATCH_MS = 20

export interface Measured {
  readonly fps: number
  readonly dropped: number
  readonly longestMs: number
  readonly hasRings: boolean
  /** After a collection, MB, from time to time. */
  readonly heap: readonly number[]
  readonly produced: number
  readonly came: number
  readonly latency: { readonly p50?: number; readonly p99?: number }
}

/** Frames a second of a page that does nothing, on this machine as it is now: what can be had at all. */
export async function idleFps(page: Page): Promise<number> {
  return await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const wanted = 120
        const startedAt = performance.now()
        let count = 0
        const next = () => {
          if (++count < wanted) return void requestAnimationFrame(next)
          resolve((wanted * 1_000) / (performance.now() - startedAt))
        }
        requestAnimationFrame(next)
      }),
  )
}

/** 500 orders a second for as long as this, all over the world, before a page of 1280 × 800. */
export async function measure(page: Page, built: BuiltPage, seconds: number): Promise<Measured> {
  const gateway = await startTestGateway({ pages: built.folder })
  await page.setViewportSize({ width: 1280, height: 800 })
  await openLive(page, gateway.url)
  const session = await page.context().newCDPSession(page)
  const heapNow = async () => {
    await session.send('HeapProfiler.collectGarbage')
    return (await session.send('Runtime.getHeapUsage')).usedSize / 2 ** 20
  }

  const feed = createOrderFeed({ seed: 500 })
  const startedAt = performance.now()
  let produced = 0
  const timer = setInterval(() => {
    const due = Math.min(seconds * RATE, Math.floor(((performance.now() - startedAt) / 1_000) * RATE)) - produced
    if (due <= 0) return
    produced += due
    void gateway.produce(...Array.from({ length: due }, () => feed.next(Date.now())))
  }, BATCH_MS)
  onTestFinished(() => clearInterval(timer))

  // Full from here on: as many are shown at a time as will be.
  await until('the map is full', async () => (await snapshot(page)).events >= RATE)
  const before = (await snapshot(page)).frames
  const beganAt = performance.now()
  const heap = [await heapNow()]
  for (let i = 1; i <= 6; i++) {
    await until('a sixth more came', async () => (await snapshot(page)).events >= (i * seconds * RATE) / 6, 120_000)
    heap.push(await heapNow())
  }
  const { frames, events: came, latency } = await snapshot(page)
  const passed = (performance.now() - beganAt) / 1_000
  return {
    fps: (frames.count - before.count) / passed,
    dropped: frames.dropped - before.dropped,
    longestMs: frames.longestMs,
    hasRings: frames.hasRings,
    heap,
    produced,
    came,
    latency,
  }
}

export function told({ fps, dropped, longestMs, hasRings, heap, produced, came, latency }: Measured): string {
  const shown = `${fps.toFixed(1)} frames a second, ${dropped} dropped, the longest ${longestMs.toFixed()} ms`
  const memory = `heap ${heap.map((mb) => mb.toFixed(1)).join(', ')} MB`
  const late = `placed to drawn: half within ${latency.p50?.toFixed()} ms, 99 % within ${latency.p99?.toFixed()} ms`
  return `${came} of ${produced} orders came; ${shown}, rings ${hasRings ? 'on' : 'off'}; ${memory}; ${late}`
}
