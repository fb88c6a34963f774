/** The site of docs/, README.md and the client's README: the files as they are, which a code host shows as well. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve } from 'node:path'

const PROJECT = resolve(import.meta.dirname, '../..')
/** Where the repository can be read, for links to files that are no pages; without it these are plain text. */
const REPOSITORY = process.env.DOCS_REPOSITORY
/** Files of Markdown that are pages, and where README.md becomes an index. */
const INDEXES = {
  'README.md': 'index.md',
  'docs/README.md': 'docs/index.md',
  'packages/client/README.md': 'packages/client/index.md',
}

const read = (file: string): string => readFileSync(join(PROJECT, file), 'utf8')

/** Groups and pages as docs/README.md has them, so that a page is listed in one place only. */
function sidebar() {
  const seen = new Set<string>()
  return read('docs/README.md')
    .split(/^## /m)
    .slice(1)
    .map((part) => ({ text: part.split('\n')[0] ?? '', collapsed: false, items: pagesOf(part, seen) }))
}

function pagesOf(part: string, seen: Set<string>) {
  return Array.from(part.matchAll(/\]\(([^)#]+\.md)/g), ([, link = '']) => posix.normalize(`docs/${link}`))
    .filter((page) => existsSync(join(PROJECT, page)) && !seen.has(page) && seen.add(page))
    .map((page) => ({
      text: titleOf(page),
      link: `/${(INDEXES[page as keyof typeof INDEXES] ?? page).replace(/(index)?\.md$/, '')}`,
    }))
}

const titleOf = (page: string): string => (/^# (.+)$/m.exec(read(page))?.[1] ?? page).replaceAll('`', '')

interface Token {
  type: string
  tag: string
  attrs: [string, string][] | null
  children: Token[] | null
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}
interface State {
  tokens: Token[]
  env: { path?: string; relativePath?: string }
}

/** Links between files lead to pages; those to other files of the repository, to where it can be read. */
function linkPages(state: State): void {
  // The page's own file, not where it is shown.
  const folder = dirname(relative(PROJECT, state.env.path ?? join(PROJECT, 'README.md')))
  for (const { children } of state.tokens) {
    for (const [i, link] of (children ?? []).entries()) {
      const href = link.attrGet('href') ?? ''
      if (link.type !== 'link_open' || /^(\w+:|#|\/\/)/.test(href)) continue
      const [path = '', anchor] = href.split('#')
      const file = posix.normalize(posix.join(folder, path))
      const end = anchor === undefined ? '' : `#${anchor}`
      if (file.endsWith('.md') && existsSync(join(PROJECT, file)))
        link.attrSet('href', `/${INDEXES[file as keyof typeof INDEXES] ?? file}${end}`)
      else if (REPOSITORY !== undefined) link.attrSet('href', `${REPOSITORY}/${file}${end}`)
      else
        asText(
          link,
          children?.slice(i).find(({ type }) => type === 'link_close'),
        )
    }
  }
}

function asText(...ends: (Token | undefined)[]): void {
  for (const end of ends) {
    if (end) Object.assign(end, { type: end.type.replace('link', 'span'), tag: 'span', attrs: null })
  }
}

export default {
  title: 'Sluice',
  description: 'Kafka topics as GraphQL subscriptions over Server-Sent Events',
  // There is none, and browsers ask for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: '..',
  outDir: process.env.DOCS_OUT ?? join(PROJECT, 'docs-site/dist'),
  cacheDir: process.env.DOCS_CACHE ?? join(PROJECT, '.cache/docs-site'),
  base: process.env.DOCS_BASE ?? '/',
  srcExclude: [
    '.cache/**',
    'docs-site/**',
    '!(docs|packages)/**/*.md',
    'packages/!(client)/**',
    '**/node_modules/**',
    '**/dist/**',
  ],
  rewrites: INDEXES,
  markdown: {
    config: (md: { core: { ruler: { push(name: string, rule: (state: State) => void): void } } }) =>
      md.core.ruler.push('link_pages', linkPages),
    // Anchors as a code host makes them, so that one link fits both.
    anchor: {
      slugify: (text: string) =>
        text
          .toLowerCase()
          .trim()
          .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
          .replaceAll(' ', '-'),
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    sidebar: sidebar(),
    outline: [2, 3],
    nav: [
      { text: 'Documentation', link: '/docs/' },
      { text: 'First subscription', link: '/docs/first-subscription' },
      { text: 'Operations', link: '/docs/operations' },
    ],
  },
}
