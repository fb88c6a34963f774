import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { AnswerBudget } from '../../transport/answer-budget.ts'
import { GRAPHIQL_POLICY, PAGE_POLICY } from '../security-headers.ts'
import { fileOf, type PageFile } from './folder.ts'
import { Page } from './page.ts'

/** A tab that GraphiQL opens with. */
export interface GraphiqlTab {
  readonly query: string
  /** JSON. */
  readonly variables?: string
}

export interface PagesOptions {
  /** The folder of the built application at `/`; undefined: there is none. */
  readonly site: string | undefined
  /** The folder of the built GraphiQL; undefined: there is none. */
  readonly graphiql: string | undefined
  /** What GraphiQL opens with. */
  readonly tabs: readonly GraphiqlTab[]
  readonly answers: AnswerBudget
}

/** Where GraphiQL's page gets its files. The page itself is at `/graphql`. */
const GRAPHIQL_PREFIX = '/graphiql/'
const TABS = 'tabs.json'
const INDEX = 'index.html'

/** Pages for browsers. They have no data, so that they pass no admission; connections are limited as others are. */
export class Pages {
  readonly #site: Page | undefined
  readonly #graphiql: Page | undefined
  readonly #tabs: PageFile

  constructor({ site, graphiql, tabs, answers }: PagesOptions) {
    this.#site = pageOf('The Live Map', site, PAGE_POLICY, answers)
    this.#graphiql = pageOf('GraphiQL', graphiql, GRAPHIQL_POLICY, answers)
    const plain = Buffer.from(JSON.stringify(tabs))
    const type = 'application/json; charset=utf-8'
    this.#tabs = fileOf(plain, { type, gzipped: gzipSync(plain), isHashed: false })
  }

  get hasGraphiql(): boolean {
    return this.#graphiql !== undefined
  }

  /** Answers with GraphiQL's document. @throws SluiceError where there is none. */
  async answerGraphiql(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const file = await this.#graphiql?.find(INDEX)
    if (!file) throw new Error('GraphiQL has no document')
    this.#graphiql?.answer(request, response, file)
  }

  /** Answers for a path of a page. False: it is no such path. @throws SluiceError */
  async answer(request: IncomingMessage, response: ServerResponse, { pathname }: URL): Promise<boolean> {
    const isGraphiql = pathname.startsWith(GRAPHIQL_PREFIX)
    const page = isGraphiql ? this.#graphiql : this.#site
    if (!page) return false
    const path = isGraphiql ? pathname.slice(GRAPHIQL_PREFIX.length) : pathname === '/' ? INDEX : pathname.slice(1)
    const file = isGraphiql && path === TABS ? this.#tabs : await find(page, path, pathname === '/' || isGraphiql)
    if (!file) return false
    page.answer(request, response, file)
    return true
  }
}

/** A page that is not built is told of where it was asked for; every other path is none as before. */
async function find(page: Page, path: string, isAskedFor: boolean): Promise<PageFile | undefined> {
  try {
    return await page.find(path)
  } catch (error) {
    if (isAskedFor) throw error
    return undefined
  }
}

function pageOf(name: string, folder: string | undefined, policy: string, answers: AnswerBudget): Page | undefined {
  return folder === undefined ? undefined : new Page({ name, folder, policy, answers })
}
