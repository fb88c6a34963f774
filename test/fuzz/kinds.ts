/** The kinds of inputs: each is made from a seed, handed to what reads it, and judged. */
import { writeFileSync } from 'node:fs'
import { readRecords } from '../../src/admission/authentication/api-keys/keys-file.ts'
import { readControlRecord } from '../../src/admission/control/control-entry.ts'
import { parseManifest } from '../../src/admission/persisted/manifest.ts'
import { SluiceError } from '../../src/errors/codes.ts'
import { CorsPolicy } from '../../src/server/cors.ts'
import { decodeCursor, encodeCursor } from '../../src/streams/cursor/cursor.ts'
import { decode } from '../../src/streams/topic/decode.ts'
import { orders } from '../../src/streams/topics/orders.ts'
import { anOrder } from '../kit/gateway.ts'
import { CURSOR, TOKEN } from '../soak/fuzz/draft.ts'
import { draftBytes, scribbled } from '../soak/fuzz/draft-bytes.ts'
import { writeJson } from '../soak/fuzz/json.ts'
import { makeRequest, mutateHttp } from '../soak/fuzz/request.ts'
import type { Random } from '../soak/random.ts'
import { mutateBytes, mutateText } from './mutate.ts'
import type { World } from './world.ts'

export interface Kind {
  readonly weight: number
  /** @returns what became of the input. @throws what nobody may cause. */
  run(random: Random, world: World): string | Promise<string>
}

const CHEAP = '/graphql?query=%7B__typename%7D'
const LIVE = 'subscription($after:Cursor){orders(after:$after){id}}'
const PLACE = 'mutation($input:PlaceOrderInput!){placeOrder(input:$input){id placedAt total{amount}}}'
const ORIGIN = 'https://shop.example'
const POLICY = new CorsPolicy([ORIGIN])

/** Weights: two thousand requests a second can be made, and a hundred thousand of what is only read. */
export const KINDS: Readonly<Record<string, Kind>> = {
  requests: { weight: 3, run: request },
  'cursors, by every way in': { weight: 2, run: cursorRequest },
  'credentials, by every way in': { weight: 3, run: credentials },
  'orders that are placed': { weight: 1, run: placed },
  'ids of operations': { weight: 1, run: operationId },
  'heads of a connection': { weight: 1, run: head },
  cursors: { weight: 30, run: cursor },
  'Kafka payloads': { weight: 30, run: payload },
  'Kafka records, to a gateway with clients': { weight: 0.2, run: record },
  manifests: { weight: 4, run: manifest },
  'commands of the admin port': { weight: 0.5, run: command },
  "keys' files": { weight: 0.1, run: keys },
  "texts of keys' files": { weight: 6, run: keysText },
  'records of the control topic': { weight: 8, run: controlRecord },
  'bytes that are no request': { weight: 8, run: unparsed },
}

async function request(random: Random, world: World): Promise<string> {
  const draft = makeRequest(random)
  mutateHttp(random, draft)
  if (random.chance(0.1)) draft.headers.push(['authorization', bearer(random, world)])
  const bytes = draftBytes(draft, random, (text) =>
    text.replaceAll(TOKEN, () => random.pick(world.streamTokens)).replaceAll(CURSOR, () => world.cursor(random)),
  )
  const { delivery } = draft
  if (delivery === 'wild') return await world.ask(random, scribbled(bytes, random), false)
  if (delivery === 'cut') return await world.ask(random, bytes.subarray(0, random.int(bytes.length)), false)
  if (delivery === 'pipelined') return await world.ask(random, Buffer.concat([bytes, bytes]), false)
  // Node closes on CONNECT, and takes a method that it does not know for no HTTP.
  return await world.ask(random, bytes, draft.method !== 'CONNECT')
}

async function cursorRequest(random: Random, world: World): Promise<string> {
  const whole = world.cursor(random)
  const cursor = random.chance(0.9) ? mutateText(random, whole) : whole
  const safe = cursor.replaceAll(/[^\x20-\x7e]/g, '?')
  const headers = { accept: 'text/event-stream' }
  return await random.pick([
    () => post(random, world, { query: LIVE }, { ...headers, 'last-event-id': safe }),
    () => post(random, world, { query: LIVE, extensions: { lastEventId: cursor } }, headers),
    () => post(random, world, { query: LIVE, variables: { after: cursor } }, headers),
    () => post(random, world, { query: `subscription{orders(after:${JSON.stringify(cursor)}){id}}` }, headers),
    () => get(random, world, `${search({ query: LIVE, lastEventId: cursor })}`, headers),
    () => get(random, world, `${search({ query: LIVE, variables: JSON.stringify({ after: cursor }) })}`, headers),
  ])()
}

async function placed(random: Random, world: World): Promise<string> {
  const or = <T>(usual: T, ...odd: readonly T[]): T => (random.chance(0.9) ? usual : random.pick(odd))
  const input = {
    idempotencyKey: random.pick([undefined, 'a', 'b', mutateText(random, 'a key')]),
    merchantId: random.pick(['m_1', 'm_2', mutateText(random, 'm_1')]),
    region: or('EUROPE', 'europe', 'NOWHERE'),
    country: or('NL', 'nl', mutateText(random, 'NL')),
    city: or('Delft', mutateText(random, 'Delft')),
    location: { lat: or(52.1, -91, 1e308), lon: or(4.9, -181, 1e-320) },
    total: { amount: or('129.90', '0', mutateText(random, '12.50')), currency: or('EUR', mutateText(random, 'EUR')) },
    itemCount: or(undefined, 1, 0, 2 ** 31),
  }
  const body = writeJson(random, { query: PLACE, variables: { input } }, random.chance(0.3) ? 0.05 : 0)
  const accept = random.pick(['application/json', 'application/graphql-response+json', 'text/event-stream'])
  const key = random.pick<Headers>([{}, { 'x-api-key': random.pick(world.corpus.apiKeys) }])
  return await post(random, world, body, { accept, ...key })
}

async function credentials(random: Random, world: World): Promise<string> {
  const token = random.pick(world.corpus.tokens)
  const key = random.pick(world.corpus.apiKeys)
  const odd = (text: string) => (random.chance(0.7) ? mutateText(random, text) : text)
  const headers = random.pick<() => Record<string, string>>([
    () => ({ authorization: bearer(random, world) }),
    () => ({ 'x-api-key': odd(key) }),
    () => ({
      cookie: `session=${odd(token)}`,
      'sec-fetch-site': random.pick(['same-origin', 'cross-site', odd('none')]),
    }),
    () => ({ cookie: odd(`a=b; session=${token}; session=${odd(token)}`), origin: odd('https://shop.example') }),
    () => ({ authorization: bearer(random, world), 'x-api-key': odd(key) }),
    () => ({ authorization: odd(`Basic ${Buffer.from(`a:${key}`).toString('base64')}`) }),
  ])()
  const ticket = random.chance(0.2) ? `&ticket=${encodeURIComponent(odd(token).toWellFormed())}` : ''
  if (random.chance(0.1)) return await post(random, world, { query: LIVE }, headers, '/ticket')
  return await get(random, world, `${CHEAP}${ticket}`, headers)
}

function bearer(random: Random, world: World): string {
  const token = random.pick(world.corpus.tokens)
  const parts = token.split('.')
  return random.weighted([
    [5, () => `Bearer ${mutateText(random, token)}`],
    [3, () => `Bearer ${token}`],
    // The parts of two tokens: a signature of other claims.
    [2, () => `Bearer ${[parts[0], random.pick(world.corpus.tokens).split('.')[1], parts[2]].join('.')}`],
    [1, () => mutateText(random, `Bearer ${token}`)],
    [1, () => `bearer  ${token}`],
    [1, () => token],
  ])()
}

async function operationId(random: Random, world: World): Promise<string> {
  const known = random.pick(world.corpus.operationIds)
  const id = random.chance(0.5) ? mutateText(random, known) : known
  const named = random.pick<() => object>([
    () => ({ documentId: id }),
    () => ({ documentId: `sha256:${id}` }),
    () => ({ extensions: { persistedQuery: { version: 1, sha256Hash: id } } }),
    () => ({ query: '{ __typename }', documentId: id }),
    () => ({ documentId: id, extensions: { persistedQuery: { version: random.int(3), sha256Hash: known } } }),
  ])()
  const body = writeJson(random, named, random.chance(0.3) ? 0.2 : 0)
  return await post(random, world, body, { accept: random.pick(['*/*', 'text/event-stream']) })
}

/** What Node's own parser reads, or refuses. */
async function head(random: Random, world: World): Promise<string> {
  const bytes = Buffer.from(`GET ${CHEAP} HTTP/1.1\r\nhost: a\r\norigin: ${ORIGIN}\r\nx-a: ${random.word(9)}\r\n\r\n`)
  return await world.ask(random, mutateBytes(random, bytes), false)
}

function cursor(random: Random, world: World): string {
  const text = random.chance(0.2) ? madeCursor(random) : mutateText(random, world.cursor(random))
  try {
    const { positions } = decodeCursor('orders', text)
    if (positions.some((offset) => !Number.isSafeInteger(offset))) throw new Error(`An offset is none: ${text}`)
    return 'read'
  } catch (error) {
    if (error instanceof SluiceError) return error.code
    throw error
  }
}

/** One that nobody has handed out, and whose checksum is right. */
function madeCursor(random: Random): string {
  const positions = Array.from({ length: random.int(300) }, () =>
    random.pick([0, -1, 2 ** 53, 1e300, Number.NaN, random.int(1e9)]),
  )
  const epoch = random.pick([undefined, -1, 2 ** 48, Number.NaN, Date.now()])
  const fingerprint = random.chance(0.5)
    ? { partition: random.int(400), offset: random.int(9), timestamp: -1 }
    : undefined
  return encodeCursor('orders', { positions, epoch, fingerprint }, random.pick([1, 2]))
}

const TIMESTAMPS = [0, -1, Number.NaN, 2 ** 48, 2 ** 53, -(2 ** 60), Date.now()]

function payloadOf(random: Random): Buffer | null {
  const order = anOrder({ itemCount: random.pick([1, 0, -1, 1e9]) })
  return random.weighted<() => Buffer | null>([
    [4, () => Buffer.from(writeJson(random, order, 0.1))],
    [4, () => mutateBytes(random, Buffer.from(JSON.stringify(order)))],
    [2, () => Buffer.from(mutateText(random, JSON.stringify(order)))],
    [1, () => Buffer.from(JSON.stringify(order))],
    [0.5, () => Buffer.from(random.pick(['', 'null', '[]', '{', '\xff\xfe', '{"__proto__":1}', '"x"', '1']), 'latin1')],
    [0.2, () => null],
  ])()
}

function payload(random: Random): string {
  const record = {
    partition: random.int(4),
    offset: random.pick([0, 1, 2 ** 53]),
    timestamp: random.pick(TIMESTAMPS),
    key: random.chance(0.2) ? null : mutateBytes(random, Buffer.from('m_0001')),
    value: payloadOf(random),
    headers: random.chance(0.2) ? { a: random.pick([undefined, Buffer.from([0xff]), 'b']), __proto__: 'x' } : undefined,
  }
  const event = decode(orders, record)
  if ('kind' in event) {
    JSON.stringify(event.value)
    return 'an event'
  }
  return 'skipped' in event ? event.skipped : event.reason
}

async function record(random: Random, world: World): Promise<string> {
  const records = Array.from({ length: random.between(1, 20) }, () => ({
    key: random.chance(0.5) ? null : random.word(5),
    value: payloadOf(random),
    partition: random.int(6),
    timestamp: Math.abs(random.pick(TIMESTAMPS.filter(Number.isFinite))),
  }))
  await world.gateway.embedded.sink.send('orders', records)
  return `${records.length > 10 ? 'many' : 'few'} records`
}

function manifest(random: Random, { corpus }: World): string {
  const entries = Object.fromEntries(corpus.operationIds.map((id) => [id, `query { ${id} }`]))
  const operations = Object.entries(entries).map(([id, body]) => ({ id, body, name: id, type: 'query' }))
  const apollo = { format: 'apollo-persisted-query-manifest', version: 1, operations }
  const text = writeJson(random, random.pick<object>([entries, apollo]), 0.1)
  return orRefused(() => `${parseManifest(random.chance(0.5) ? mutateText(random, text) : text).length} operations`)
}

/** Revocations and blocks, of principals and operations that no other kind has. */
async function command(random: Random, world: World): Promise<string> {
  const value = random.pick(['victim', 'x'.repeat(300), '', 'victim\u0000'])
  const named = random.pick<object>([
    { principal: value },
    { key: value },
    { jti: value },
    { operation: value },
    { operation: 'f'.repeat(64) },
    { principal: value, until: random.pick([0, -1, 'tomorrow', '2026-11-27T00:00:00Z']) },
  ])
  const text = writeJson(random, named, random.chance(0.5) ? 0.2 : 0)
  const body = random.chance(0.3) ? mutateText(random, text) : text
  const path = random.pick(['/revoke', '/block', '/revoke?x', '/livez'])
  const type = random.chance(0.9) ? 'application/json' : 'text/plain'
  return await world.askAdmin(random, bytesOf('POST', path, { host: 'localhost', 'content-type': type }, body))
}

/** Written where the gateway reads them again: what is broken must leave those that it has. */
function keys(random: Random, { corpus: { keysFile } }: World): string {
  const text = keysTextOf(random, keysFile.text)
  writeFileSync(keysFile.path, text)
  return text === keysFile.text ? 'whole' : 'changed'
}

function keysTextOf(random: Random, whole: string): string {
  return random.weighted<() => string>([
    [3, () => writeJson(random, JSON.parse(whole), 0.1)],
    [3, () => mutateText(random, whole)],
    [1, () => whole],
    [1, () => random.pick(['', '{}', '[]', 'null', '[null]', '[{}]', '[{"id":"a","sha256":"b"}]'])],
  ])()
}

function keysText(random: Random, { corpus }: World): string {
  return orRefused(() => `${readRecords(keysTextOf(random, corpus.keysFile.text)).length} keys`)
}

function controlRecord(random: Random): string {
  const kind = random.pick(['principal', 'key', 'token', 'operation'])
  const value = random.pick(['victim', 'x'.repeat(1_024), '__proto__', 'é'])
  const entry = {
    kind,
    value,
    at: '2026-11-27T10:00:00Z',
    until: random.pick([undefined, '2026-11-28T00:00:00+01:00']),
  }
  const key = random.chance(0.2) ? mutateText(random, `${kind}:${value}`) : `${kind}:${value}`
  const text = writeJson(random, entry, random.chance(0.5) ? 0.1 : 0)
  const record = random.chance(0.1) ? null : random.chance(0.3) ? mutateText(random, text) : text
  return orRefused(() => (readControlRecord(random.chance(0.05) ? null : key, record).entry ? 'an entry' : 'undone'))
}

/** A refusal is an Error with words of its own: not one of the language's. */
function orRefused(read: () => string): string {
  try {
    return read()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || !(error instanceof Error)) throw error
    return 'refused'
  }
}

function unparsed(random: Random): string {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nOrigin: ${ORIGIN}\r\nHost: a\r\n\r\n`)
  const lines = POLICY.headOf(random.chance(0.1) ? undefined : mutateBytes(random, bytes))
  if (!/^(?:[a-z-]+: [\x20-\x7e]*\r\n)*$/.test(lines)) throw new Error(`A header was slipped in: ${lines}`)
  return lines === '' ? 'no origin that is listed' : 'an origin that is listed'
}

function search(members: Record<string, string>): string {
  return `/graphql?${new URLSearchParams(members)}`
}

type Headers = Readonly<Record<string, string>>

function get(random: Random, world: World, path: string, headers: Headers): Promise<string> {
  return send(random, world, 'GET', path, headers, '')
}

function post(
  random: Random,
  world: World,
  body: object | string,
  headers: Headers,
  path = '/graphql',
): Promise<string> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return send(random, world, 'POST', path, { 'content-type': 'application/json', ...headers }, text)
}

function send(
  random: Random,
  world: World,
  method: string,
  path: string,
  headers: Headers,
  body: string,
): Promise<string> {
  return world.ask(random, bytesOf(method, path, { host: 'localhost', ...headers }, body), true)
}

function bytesOf(method: string, path: string, headers: Headers, body: string): Buffer {
  const all = { ...headers, ...(body !== '' && { 'content-length': Buffer.byteLength(body) }) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${`${value}`.replaceAll(/[\r\n]/g, ' ')}\r\n`)
  const text = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'utf8')
  return Buffer.concat([text, Buffer.from(body)])
}
