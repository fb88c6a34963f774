import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Decisions } from '../admission/control/decisions.ts'
import type { Faults } from '../errors/faults.ts'
import type { Readiness } from '../streams/streams.ts'
import { DECISION_PATHS, type DecisionPath, decide } from './admin-decisions.ts'
import { hostName, isAdminHost } from './admin-hosts.ts'
import { PRODUCE_PATH, type Producible, produce } from './admin-produce.ts'
import type { Inspections } from './inspect/inspection.ts'
import { PAGE_PATH, pageFile } from './inspect/page/page-files.ts'
import { answerBrokenRequests, TIMEOUTS, type Timeouts } from './timeouts.ts'

export interface AdminOptions {
  readonly readiness: () => Readiness
  readonly metrics: Registry
  readonly inspections: Inspections
  /** What operators revoke and block. */
  readonly decisions: Decisions
  /** The embedded log; undefined: there is none. */
  readonly producible?: Producible | undefined
  readonly faults: Faults
  readonly log: Logger
  /** Names by which it may be requested, beside IP addresses and localhost. */
  readonly hosts: readonly string[]
  readonly timeouts?: Timeouts
}

/**
 * Health, metrics, inspection and decisions, for platform engineers and their tools. It has no authentication: do not
 * expose it.
 */
export function createAdminServer(options: AdminOptions): Server {
  const { readiness, metrics, inspections, decisions, faults, log, timeouts = TIMEOUTS } = options
  const hosts = new Set(options.hosts.map(hostName))
  const pages: Record<string, (query: URLSearchParams) => Promise<Page> | Page> = {
    '/livez': () => ({ status: 200, type: TEXT, body: 'live\n' }),
    '/readyz': () => {
      const state = readiness()
      return state.ready
        ? { status: 200, type: TEXT, body: ['ready', ...(state.notes ?? [])].map((line) => `${line}\n`).join('') }
        : { status: 503, type: TEXT, body: `not ready: ${state.reason}\n` }
    },
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await scrape(metrics, faults) }),
    '/inspect.json': (query) => inspectionPage(inspections, query),
  }

  const decisionPage = async (path: DecisionPath, request: IncomingMessage): Promise<Page> => {
    if (request.method !== 'POST') return { status: 405, type: TEXT, body: 'Decisions are taken by POST\n' }
    const { status, body } = await decide(path, request, decisions, log)
    return typeof body === 'string'
      ? { status, type: TEXT, body: `${body}\n` }
      : { status, type: JSON_TYPE, body: `${JSON.stringify(body)}\n` }
  }
  const producePage = async (request: IncomingMessage, query: URLSearchParams): Promise<Page> => {
    if (request.method !== 'POST') return { status: 405, type: TEXT, body: 'Events are sent by POST\n' }
    const { status, body } = await produce(request, query, options.producible)
    return typeof body === 'string'
      ? { status, type: TEXT, body: `${body}\n` }
      : { status, type: JSON_TYPE, body: `${JSON.stringify(body)}\n` }
  }
  const posted: Record<string, (request: IncomingMessage, query: URLSearchParams) => Promise<Page>> = {
    [PRODUCE_PATH]: producePage,
  }
  for (const each of DECISION_PATHS) posted[each] = (request) => decisionPage(each, request)
  const server = createServer(timeouts, (request, response) => {
    const { method } = request
    const { host, path, query } = targetOf(request)
    const post = Object.hasOwn(posted, path) ? posted[path] : undefined
    void (async () => {
      try {
        const page = pages[path] ?? (await fileOf(path))
        const {
          status,
          type,
          body,
          headers = {},
        }: Page = !isAdminHost(host, hosts)
          ? { status: 403, type: TEXT, body: WRONG_HOST }
          : post
            ? await post(request, query)
            : !page
              ? {
                  status: 404,
                  type: TEXT,
                  body: `There are ${[PAGE_PATH, ...Object.keys(pages), ...Object.keys(posted)].join(', ')} here\n`,
                }
              : method !== 'GET' && method !== 'HEAD'
                ? { status: 405, type: TEXT, body: 'These pages are only for GET\n' }
                : await page(query)
        if (status === 405) response.setHeader('allow', post ? 'POST' : 'GET, HEAD')
        // The unread rest of a body would be parsed as the next request.
        if (!request.complete) response.setHeader('connection', 'close')
        response.writeHead(status, { ...headers, 'content-type': type, 'cache-control': 'no-store' }).end(body)
      } catch (error) {
        log.error({ err: error, url: request.url }, 'An admin page failed')
        if (response.headersSent) response.destroy()
        else response.writeHead(500, { 'content-type': TEXT }).end('This page failed: the log says why\n')
      }
    })()
  })
  answerBrokenRequests(server)
  return server
}

/** Of the page of /inspect. */
async function fileOf(path: string): Promise<(() => Page) | undefined> {
  const file = await pageFile(path)
  return file && (() => ({ status: 200, ...file }))
}

async function inspectionPage(inspections: Inspections, query: URLSearchParams): Promise<Page> {
  try {
    const body = JSON.stringify(await inspections.read(query), null, 2)
    return { status: 200, type: JSON_TYPE, body: `${body}\n` }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { status: 400, type: TEXT, body: `${error.message}\n` }
  }
}

/** All metrics that can be read: a collector that throws does not hide the others. */
async function scrape(registry: Registry, faults: Faults): Promise<string> {
  const texts = registry.getMetricsAsArray().map(async ({ name }) => {
    try {
      return await registry.getSingleMetricAsString(name)
    } catch (error) {
      faults.tell('metrics', error, { metric: name })
      return `# ${name} could not be read: the log says why`
    }
  })
  return `${(await Promise.all(texts)).join('\n\n')}\n`
}

/** A request in absolute form (RFC 9112, section 3.2.2): its host overrides `Host`. */
function targetOf({ url = '/', headers }: IncomingMessage): Target {
  const [, authority, rest = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/i.exec(url) ?? []
  const [path = '', query = ''] = (authority === undefined ? url : rest).split(/[?#]/, 2)
  return { host: authority ?? headers.host, path, query: new URLSearchParams(query) }
}

interface Target {
  readonly host: string | undefined
  readonly path: string
  readonly query: URLSearchParams
}

interface Page {
  readonly status: number
  readonly type: string
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

const WRONG_HOST = 'The admin pages are for an IP address, localhost, or a name that ADMIN_HOSTS has\n'
const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
