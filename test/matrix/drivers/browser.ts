import { resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { startSite, type TestBrowser } from '../../kit/chromium.ts'
import type { Sight } from '../sight.ts'
import { type Driver, LineDriver } from './driver.ts'
import type { Command } from './session.ts'

/** How often a page is asked what it has been told. */
const POLL_MS = 30

interface MatrixPage {
  told: ({ key: number } & Sight)[]
  command(command: Command): void
}

/** A library in a page of another origin than the gateway's. */
export async function startPage(browser: TestBrowser, file: string): Promise<Driver> {
  const page = await browser.openPage()
  await page.goto(await startSite())
  if (process.env.MATRIX_DEBUG) page.on('console', (message) => console.log(file, message.text()))
  await page.addScriptTag({ content: await script(file), type: 'module' })
  await page.waitForFunction(() => 'command' in globalThis)
  const driver = new LineDriver({
    send: (command) =>
      void page.evaluate((one) => (globalThis as unknown as MatrixPage).command(one), command).catch(() => {}),
    async close() {
      clearInterval(poll)
      await page.close()
    },
  })
  let asking = false
  const poll = setInterval(async () => {
    if (asking) return
    asking = true
    for (const sight of await told(page)) driver.take(sight)
    asking = false
  }, POLL_MS)
  return driver
}

/** What is new; nothing, once the page is closed. */
function told(page: Page) {
  return page.evaluate(() => (globalThis as unknown as MatrixPage).told.splice(0)).catch(() => [])
}

async function script(file: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { alias: { 'matrix-client': file } },
    build: {
      write: false,
      target: 'esnext',
      rolldownOptions: { output: { codeSplitting: false } },
      lib: { entry: resolve('test/matrix/drivers/page-main.ts'), formats: ['es'], fileName: 'page' },
    },
  })
  return [built]
    .flat()
    .flatMap((one) => ('output' in one ? one.output : []))
    .map((one) => ('code' in one ? one.code : ''))
    .join('\n')
}
