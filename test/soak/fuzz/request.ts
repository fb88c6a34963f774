/** Requests: valid ones of every transport, and then changed at the level of JSON and of HTTP. */
import type { Random } from '../random.ts'
import { DocumentMaker } from './document.ts'
import { CURSOR, type Delivery, type Draft, setHeader, TOKEN } from './draft.ts'
import { randomFilter } from './filters.ts'
import { writeJson } from './json.ts'

const JSON_TYPE = 'application/json'
const EVENT_STREAM = 'text/event-stream'
const ACCEPTS = [
  JSON_TYPE,
  EVENT_STREAM,
  '*/*',
  'application/graphql-response+json',
  'application/graphql-response+json, application/json;q=0.9, text/event-stream;q=0.2',
  'multipart/mixed;subscriptionSpec=1.0, application/json',
]
const HOSTS = ['a:99999', '', ':', '[', '[::1', 'a b', 'a/b', '@', '%', 'a:b:c', 'evil.example', '127.0.0.1:-1']
const TARGETS = [
  '*',
  'http://a:99999/graphql',
  'http://[::1/graphql',
  '//a:99999/graphql',
  '/',
  '/graphql/',
  '/graphql?query=%',
  '/%67raphql',
  '/graphql/../x',
  'graphql',
  'http://',
]
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'QUERY', 'get', 'CONNECT']
const ADMIN_PATHS = ['/livez', '/readyz', '/metrics', '/', '/inspect', '/inspect.json', '/revoke', '/block', '/nope']
const TYPES = [
  JSON_TYPE,
  'application/json; charset=utf-8',
  'application/json; charset=latin1',
  'text/plain',
  'application/graphql',
  '',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
]

export function makeRequest(random: Random): Draft {
  return random.weighted([
    [10, () => plain(random)],
    [9, () => distinct(random)],
    [5, () => single(random)],
    // Each page has nine megabytes.
    [0.05, () => html(random)],
    [1.5, () => admin(random)],
    [0.5, () => bare(random, random.pick(METHODS), random.pick(['/', '/favicon.ico', '/graphql']), [])],
  ])()
}

/** By HTTP alone. */
function plain(random: Random): Draft {
  return operation(random, random.pick(ACCEPTS), [], {})
}

/** An event stream for one operation, perhaps one that goes on where it was. */
function distinct(random: Random): Draft {
  const draft = operation(random, EVENT_STREAM, [], random.chance(0.1) ? { cursor: true, markers: true } : {})
  if (random.chance(0.2))
    setHeader(draft, 'last-event-id', random.chance(0.7) ? CURSOR : random.word(random.int(2_000)))
  return draft
}

/** A reservation, its opening, or an operation on it. */
function single(random: Random): Draft {
  const token: [string, string] = ['x-graphql-event-stream-token', random.chance(0.9) ? TOKEN : random.word(30)]
  return random.weighted<() => Draft>([
    [3, () => bare(random, 'PUT', '/graphql', [['accept', random.pick(['text/plain', '*/*', JSON_TYPE])]])],
    [1.5, () => bare(random, 'GET', '/graphql', [token, ['accept', EVENT_STREAM]])],
    [0.5, () => bare(random, 'GET', `/graphql?token=${TOKEN}`, [['accept', EVENT_STREAM]])],
    [1, () => bare(random, 'DELETE', `/graphql?operationId=${random.int(5)}`, [token])],
    [
      5,
      () => operation(random, JSON_TYPE, [token], { operationId: String(random.int(5)), cursor: random.chance(0.3) }),
    ],
  ])()
}

function html(random: Random): Draft {
  return bare(random, 'GET', random.pick(['/graphql', '/graphql?query={streams{topic}}', '/graphql?x=<script>']), [
    ['accept', 'text/html,*/*;q=0.8'],
  ])
}

function admin(random: Random): Draft {
  const host = random.chance(0.5) ? 'localhost' : random.pick(HOSTS)
  const path = random.chance(0.8) ? random.pick(ADMIN_PATHS) : random.pick(TARGETS)
  const draft = bare(random, random.chance(0.7) ? 'GET' : random.pick(METHODS), path, [], true)
  setHeader(draft, 'host', host)
  return draft
}

function bare(_random: Random, method: string, path: string, headers: [string, string][], toAdmin = false): Draft {
  return {
    method,
    path,
    version: '1.1',
    headers: [['host', 'localhost'], ...headers],
    body: undefined,
    query: undefined,
    toAdmin,
    delivery: 'whole',
  }
}

function operation(random: Random, accept: string, headers: [string, string][], extensions: object): Draft {
  const query = new DocumentMaker(random).make()
  const oddity = random.weighted([
    [6, 0],
    [2, 0.05],
    [1, 0.3],
  ])
  const variables = random.chance(0.7) ? variablesFor(random, query) : undefined
  const operationName = random.chance(0.1) ? random.pick(['Op0', 'Op1', 'Nope', '', 'then']) : undefined
  const resumed = random.chance(0.05) ? { lastEventId: CURSOR } : {}
  const all = { ...extensions, ...resumed }
  const params = { query, variables, operationName, ...(Object.keys(all).length > 0 && { extensions: all }) }
  const base = { version: '1.1', query, toAdmin: false, delivery: 'whole' } as const
  if (random.chance(0.25)) {
    const search = new URLSearchParams({ query: wellFormed(query) })
    if (variables) search.set('variables', wellFormed(writeJson(random, variables, oddity)))
    if (Object.keys(all).length > 0) search.set('extensions', wellFormed(writeJson(random, all, oddity)))
    if (operationName) search.set('operationName', operationName)
    return {
      ...base,
      method: 'GET',
      path: `/graphql?${search}`,
      headers: [['host', 'localhost'], ['accept', accept], ...headers],
      body: undefined,
    }
  }
  const type: [string, string] = ['content-type', random.chance(0.95) ? JSON_TYPE : random.pick(TYPES)]
  const body = writeJson(random, params, oddity)
  return {
    ...base,
    method: 'POST',
    path: '/graphql',
    headers: [['host', 'localhost'], ['accept', accept], type, ...headers],
    body,
  }
}

/** A value for each variable that the document names; those are named after what they are for. */
function variablesFor(random: Random, query: string): Record<string, unknown> {
  const values: Record<string, () => unknown> = {
    last: () => random.int(30),
    count: () => random.int(5),
    region: () => random.pick(['EUROPE', 'OCEANIA', 'MARS']),
    merchantId: () => random.pick(['m_1', 7, random.word(9)]),
    after: () => CURSOR,
    since: () => new Date(Date.now() - random.int(1e6)).toISOString(),
    filter: () => random.pick(['PASSES', 'THROWS']),
    where: () => random.pick(['PASSES', 'ODD']),
    kind: () => random.pick(['THROWS_ERROR', 'IS_NONE', 'THROWS_GRAPHQL_ERROR']),
    orderFilter: () => randomFilter(random),
  }
  const names = new Set(Array.from(query.matchAll(/\$(\w+)/g), ([, name]) => name as string))
  return Object.fromEntries(
    [...names].slice(0, 20).map((name) => [name, (Object.hasOwn(values, name) && values[name]?.()) || null]),
  )
}

function wellFormed(text: string): string {
  return text.toWellFormed().slice(0, 12_000)
}

const DELIVERIES: readonly (readonly [number, Delivery])[] = [
  [40, 'whole'],
  [2, 'cut'],
  [2, 'reset'],
  [0.4, 'slow'],
  [0.6, 'unread'],
  [3, 'chunked'],
  [2, 'pipelined'],
  [2, 'wild'],
]

/** Changes a request at the level of HTTP: most are left as they are. */
export function mutateHttp(random: Random, draft: Draft): void {
  draft.delivery = random.weighted(DELIVERIES)
  if (random.chance(0.03)) draft.method = random.pick(METHODS)
  if (random.chance(0.02)) draft.path = random.pick(TARGETS)
  if (random.chance(0.02)) draft.version = random.pick(['1.0', '0.9', '2.0', '1.1 x', '9'])
  if (random.chance(0.04)) setHeader(draft, 'host', random.pick(HOSTS))
  if (random.chance(0.02)) setHeader(draft, 'accept', acceptList(random))
  if (random.chance(0.02)) setHeader(draft, 'content-type', random.pick(TYPES))
  if (random.chance(0.02)) setHeader(draft, 'content-encoding', random.pick(['gzip', 'br', 'identity', 'x']))
  if (random.chance(0.02)) setHeader(draft, 'x-request-id', random.pick(['a', 'x'.repeat(100), 'ä', '"', '']))
  if (random.chance(0.01)) setHeader(draft, 'expect', random.pick(['100-continue', 'x']))
  if (random.chance(0.01)) setHeader(draft, 'upgrade', 'websocket')
  if (random.chance(0.01)) setHeader(draft, 'connection', random.pick(['close', 'upgrade', 'keep-alive', 'x']))
  if (random.chance(0.02)) draft.headers.push([random.word(8), 'v'.repeat(random.int(20_000))])
  if (random.chance(0.01))
    draft.headers.push(...Array.from({ length: random.int(300) }, (_, i): [string, string] => [`x-${i}`, 'v']))
  if (random.chance(0.01)) draft.headers.push(random.pick(draft.headers))
  if (random.chance(0.003) && draft.body !== undefined) draft.body = draft.body.padEnd(300_000)
}

/** Up to what a head may hold. */
function acceptList(random: Random): string {
  const ranges = Array.from(
    { length: random.pick([2, 50, 900]) },
    () => `${random.pick(['text', 'application', '*'])}/${random.word(4)};q=0.${random.int(10)}`,
  )
  return [...ranges, random.pick(ACCEPTS)].join(',').slice(-15_000)
}
