import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'

/** `CHROMIUM`, or what the systems we know call it. */
const EXECUTABLE = process.env.CHROMIUM || onPath(['chromium', 'chromium-browser', 'google-chrome'])

/** A browser that asks nobody for anything but the test's own pages. */
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface TestBrowser {
  /** A page of its own profile, closed when the test ends. What the page throws fails nothing by itself. */
  openPage(): Promise<Page>
}

/** A block of tests in a real browser. Where there is none, it is skipped, and its name says why. */
export function describeChromium(name: string, tests: (browser: TestBrowser) => void): void {
  const missing = chromiumMissing()
  if (missing !== undefined) {
    describe.skip(`${name} (skipped: ${missing})`, () => tests({ openPage: () => Promise.reject(new Error(missing)) }))
    return
  }
  describe(name, () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: EXECUTABLE as string, args: ARGS })
    })
    afterAll(() => browser?.close())
    tests({
      async openPage() {
        const context: BrowserContext = await browser.newContext()
        onTestFinished(() => context.close())
        return context.newPage()
      },
    })
  })
}

/** Somebody's web page, of another origin than the gateway's: where it is, until the test ends. */
export async function startSite(): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>A shop</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

function chromiumMissing(): string | undefined {
  if (EXECUTABLE === undefined) return 'there is no Chromium: install it, or set CHROMIUM to the path of one'
  return isExecutable(EXECUTABLE) ? undefined : `CHROMIUM is ${EXECUTABLE}, which cannot be run`
}

export function onPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // what cannot be asked for cannot be run either
  }
}
