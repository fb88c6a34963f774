import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { docs } from '../../scripts/docs.ts'
import { Statistics } from '../kit/statistics.ts'

/** With packages from the registry, at the first run. */
const BUILD_MS = 300_000
let site = ''

beforeAll(async () => {
  site = mkdtempSync(join(tmpdir(), 'sluice-site-'))
  await docs({ build: site })
  return () => rmSync(site, { recursive: true, force: true })
}, BUILD_MS)

test('every page of docs/ is a page of the site, and what is linked is there, headings included', () => {
  const statistics = new Statistics('links', ['to a page', 'to a heading', 'to a file'])
  const pages = globSync('**/*.html', { cwd: site })
  const wanted = globSync('docs/**/*.md').map((file) => file.replace(/README\.md$/, 'index.md').replace(/md$/, 'html'))
  expect(wanted.filter((page) => !pages.includes(page))).toEqual([])
  const wrong: string[] = []
  for (const page of pages) {
    const html = readFileSync(join(site, page), 'utf8')
    for (const [, link = ''] of html.matchAll(/(?:href|src)="(\/[^"]*|#[^"]+)"/g)) {
      const [path = '', anchor] = decodeURI(link).split('#')
      const target = path === '' ? page : posix.join('.', path.endsWith('/') ? `${path}index.html` : path)
      const file = existsSync(join(site, target)) ? target : `${target}.html`
      if (!existsSync(join(site, file))) wrong.push(`${page}: ${link}`)
      else if (anchor && !readFileSync(join(site, file), 'utf8').includes(`id="${anchor}"`))
        wrong.push(`${page}: ${link}`)
      statistics.count(anchor ? 'to a heading' : file.endsWith('.html') ? 'to a page' : 'to a file')
    }
  }
  expect([...new Set(wrong)]).toEqual([])
  statistics.report()
})

test('the site asks no other host for anything', () => {
  for (const page of globSync('**/*.html', { cwd: site })) {
    const html = readFileSync(join(site, page), 'utf8')
    expect([...html.matchAll(/<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?\/\/[^"]*"/g)], page).toEqual([])
  }
})
