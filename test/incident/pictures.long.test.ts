import { mkdir, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { until } from '../kit/until.ts'
import { findings, open, overhang, SIZES, showAt } from '../server/inspect/page.ts'
import { startIncident } from './incident.ts'

/** `npm run test:long -- test/incident/pictures` with this set writes the pictures of the documentation there. */
const PICTURES = process.env.SLUICE_PICTURES

describeChromium('the page of /inspect in an incident', (browser) => {
  test('axe finds nothing, in light and dark, at a desk and on a phone', async () => {
    await using incident = await startIncident()
    await incident.trouble()
    const page = await browser.openPage()
    for (const [name, size] of Object.entries(SIZES)) {
      await showAt(page, size)
      await open(page, incident.blue.adminUrl)
      const slow = async () => (await page.locator('#slow').textContent()) ?? ''
      await until('who is slow is shown', async () => (await slow()).includes('BulkExport'))
      expect(await findings(page), name).toEqual([])
      expect(await overhang(page), `${name} scrolls sideways`).toBeLessThanOrEqual(0)
      if (PICTURES === undefined) continue
      await mkdir(PICTURES, { recursive: true })
      await writeFile(`${PICTURES}/${name}.png`, await page.screenshot())
    }
  })
})
