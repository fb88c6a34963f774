import { expect, test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { describeBuiltPage } from './built-page.ts'
import { measure, told } from './rate.ts'

const built = describeBuiltPage()

describeChromium('the Live Map at 500 orders a second', (browser) => {
  // Frames are told, not judged, here: the machine does other things. `live-map-rate.long.test.ts` has a minute of it.
  test('gets every one of them, for 5 s, and draws', async () => {
    const measured = await measure(await browser.openPage(), built, 5)
    console.log(told(measured))
    expect(measured.came).toBe(measured.produced)
    expect(measured.fps).toBeGreaterThan(0)
  })
})
