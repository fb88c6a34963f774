import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

/** The page's policy lets no script in; what DevTools evaluates is none of it. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Size {
  readonly width: number
  readonly height: number
  readonly colorScheme: 'light' | 'dark'
}

export const SIZES: Readonly<Record<string, Size>> = {
  'inspect-light': { width: 1440, height: 1180, colorScheme: 'light' },
  'inspect-dark': { width: 1440, height: 1180, colorScheme: 'dark' },
  'inspect-phone': { width: 390, height: 844, colorScheme: 'dark' },
}

export async function showAt(page: Page, { width, height, colorScheme }: Size): Promise<void> {
  await page.setViewportSize({ width, height })
  await page.emulateMedia({ colorScheme })
}

/** Opens the page of /inspect, and waits for what it shows first. */
export async function open(page: Page, adminUrl: string, query = ''): Promise<void> {
  await page.goto(`${adminUrl}/inspect${query}`)
  await page.waitForSelector('body[data-shown]')
}

/** What axe has against it. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run(document, { resultTypes: ['violations'] }),
  )
  return violations.map(
    ({ id, impact, nodes }) => `${impact}: ${id} at ${nodes.map(({ target }) => target).join(', ')}`,
  )
}

/** By how many pixels it is wider than its window. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
}
