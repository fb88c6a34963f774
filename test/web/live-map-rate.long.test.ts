import { expect, test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { describeBuiltPage } from './built-page.ts'
import { idleFps, measure, told } from './rate.ts'

const built = describeBuiltPage()

/** Of 60. Chromium draws without a graphics card here; the gateway and the shop are on the same two cores. */
const LEAST_FPS = 50
/** Where a page that draws nothing gets less than this, the machine does other things: frames are told, not judged. */
const IDLE_FPS = 58
/** What the collector leaves from one time to the next. */
const NOISE_MB = 3

describeChromium('the Live Map at 500 orders a second', (browser) => {
  test('for a minute: every order came, at 50 frames a second or more, and the heap stays flat', async () => {
    const page = await browser.openPage()
    const before = await idleFps(page)
    const measured = await measure(page, built, 60)
    await page.goto('about:blank')
    const idle = Math.min(before, await idleFps(page))
    console.log(`${told(measured)}; a page that draws nothing: ${idle.toFixed(1)} frames a second`)
    expect(measured.came).toBe(measured.produced)
    // From the second sample on: the first is from before the lists and rings are full.
    const [, second = 0, ...later] = measured.heap
    expect(Math.max(...later)).toBeLessThan(second + NOISE_MB)
    if (idle >= IDLE_FPS) expect(measured.fps).toBeGreaterThanOrEqual(LEAST_FPS)
  }, 180_000)
})
