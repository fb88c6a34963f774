import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OrdersByRegionDocument } from '../../examples/client/src/gql/graphql.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { type RawRequest, RawStream } from '../kit/raw-stream.ts'

const EXAMPLE = 'examples/client/src/gql/persisted-documents.json'
const QUERY = 'query Recent { recentOrders(last: 1) { id } }'
const LIVE = 'subscription Live { orders { id } }'
const MANIFEST = { recent: QUERY, live: LIVE }

function manifestOf(manifest: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-persisted-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'persisted-documents.json')
  writeFileSync(file, typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
  return file
}

const envOf = (mode: string, manifest: unknown = MANIFEST) => ({
  PERSISTED_OPERATIONS: mode,
  PERSISTED_OPERATIONS_FILE: manifestOf(manifest),
})

/** The members of a request that names an operation. */
type Named = Record<string, unknown>
const NAMES: readonly (readonly [string, (id: string) => Named])[] = [
  ['documentId', (documentId) => ({ documentId })],
  ['documentId and an empty query', (documentId) => ({ documentId, query: '' })],
  ['extensions.persistedQuery', (sha256Hash) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } })],
  ['both', (id) => ({ documentId: `sha256:${id}`, extensions: { persistedQuery: { version: 1, sha256Hash: id } } })],
]

/** The same members by GET. */
function searchOf({ extensions, ...members }: Named): string {
  const search = new URLSearchParams(members as Record<string, string>)
  if (extensions) search.set('extensions', JSON.stringify(extensions))
  return `?${search}`
}

const STREAM = { accept: 'text/event-stream' }

describe.each(NAMES)('an operation is named by %s', (_name, members) => {
  const POSTS: readonly (readonly [string, (id: string) => RawRequest])[] = [
    ['POST', (id) => ({ method: 'POST', body: members(id) })],
    ['GET', (id) => ({ search: searchOf(members(id)) })],
    ['POST for a stream', (id) => ({ method: 'POST', headers: STREAM, body: members(id) })],
    ['GET for a stream', (id) => ({ headers: STREAM, search: searchOf(members(id)) })],
  ]

  test.each(POSTS)('by %s', async (_way, request) => {
    const gateway = await startTestGateway({ env: envOf('only') })
    await gateway.produce({ id: 'one' })
    const answer = await RawStream.answer(gateway.graphql, request('recent'))
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.stringContaining('{"data":{"recentOrders":[{"id":"one"}]}}'),
    ])
    const unknown = await RawStream.answer(gateway.graphql, request('nope'))
    expect([unknown.status, unknown.body]).toEqual([200, expect.stringContaining('"PersistedQueryNotFound"')])
  })

  test('for a subscription, and on a stream of several', async () => {
    const gateway = await startTestGateway({ env: envOf('only') })
    const alone = await RawStream.send(gateway.graphql, { headers: STREAM, search: searchOf(members('live')) })
    const token = (await RawStream.answer(gateway.graphql, { method: 'PUT' })).body
    const headers = { ...STREAM, 'x-graphql-event-stream-token': token }
    const together = await RawStream.send(gateway.graphql, { headers })
    await Promise.all([alone.untilHead(), together.untilHead()])
    const named = members('live')
    const extensions = { ...(named.extensions as object), operationId: 'a' }
    const body = { ...named, extensions }
    expect((await RawStream.answer(gateway.graphql, { method: 'POST', headers, body })).status).toBe(202)
    const search = searchOf({ ...named, extensions: { ...extensions, operationId: 'b' } })
    expect((await RawStream.answer(gateway.graphql, { headers, search })).status).toBe(202)
    await gateway.produce({ id: 'one' })
    expect((await alone.untilResults(1))[0]).toEqual({ data: { orders: { id: 'one' } } })
    await together.untilResults(2)
    expect(await gateway.metric('sluice_groups')).toBe(1)
  })
})

describe('what is wrong with a name is said', () => {
  const BAD: readonly (readonly [string, Named])[] = [
    ['a number', { documentId: 1 }],
    ['a list', { documentId: ['recent'] }],
    ['no hash', { extensions: { persistedQuery: { version: 1 } } }],
    ['another version', { extensions: { persistedQuery: { version: 2, sha256Hash: 'recent' } } }],
    ['a text in place of an object', { extensions: { persistedQuery: 'recent' } }],
    ['a hash that is none', { extensions: { persistedQuery: { version: 1, sha256Hash: {} } } }],
    ['two that differ', { documentId: 'live', extensions: { persistedQuery: { version: 1, sha256Hash: 'recent' } } }],
    ['nothing', { documentId: '' }],
  ]
  test.each(BAD)('%s is 400, on every transport', async (_what, body) => {
    const gateway = await startTestGateway({ env: envOf('allowed') })
    for (const headers of [{}, STREAM]) {
      const answer = await RawStream.answer(gateway.graphql, { method: 'POST', headers, body })
      expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([400, 'BAD_REQUEST'])
    }
  })
})

describe('only', () => {
  const WAYS: readonly (readonly [string, (query: string) => RawRequest])[] = [
    ['POST', (query) => ({ method: 'POST', body: { query } })],
    ['GET', (query) => ({ search: searchOf({ query }) })],
    ['POST for a stream', (query) => ({ method: 'POST', headers: STREAM, body: { query } })],
    ['GET for a stream', (query) => ({ headers: STREAM, search: searchOf({ query }) })],
    [
      'POST with the id of another',
      (query) => ({ method: 'POST', body: { query, operationName: 'Recent', variables: { documentId: 'recent' } } }),
    ],
  ]
  test.each(WAYS)('refuses every other text: %s', async (_way, request) => {
    const gateway = await startTestGateway({ env: envOf('only') })
    for (const query of ['query Recent { recentOrders { id } }', '{ __schema { queryType { name } } }', '{']) {
      const answer = await RawStream.answer(gateway.graphql, request(query))
      expect(answer.body).toContain('PERSISTED_OPERATION_REQUIRED')
    }
    const own = await RawStream.answer(gateway.graphql, { method: 'POST', body: { query: QUERY } })
    expect(own.json.data).toEqual({ recentOrders: [] })
  })
})

test("our example's manifest is one, and its client's document names itself by it", async () => {
  const { log, lines } = recordedLog()
  const env = { PERSISTED_OPERATIONS: 'only', PERSISTED_OPERATIONS_FILE: EXAMPLE }
  const gateway = await startTestGateway({ env, log })
  expect(lines).toContainEqual(
    expect.objectContaining({ msg: 'Persisted operations are ready', invalid: 0, pinned: 1 }),
  )
  const [[documentId = '', query]] = Object.entries<string>(JSON.parse(readFileSync(EXAMPLE, 'utf8'))) as [
    [string, string],
  ]
  expect(OrdersByRegionDocument).toMatchObject({ __meta__: { hash: documentId } })
  const persistedQuery = { version: 1, sha256Hash: documentId.replace('sha256:', '') }
  for (const named of [{ documentId }, { extensions: { persistedQuery } }, { query }]) {
    const body = { ...named, variables: { region: 'EUROPE' } }
    const stream = await RawStream.send(gateway.graphql, { method: 'POST', headers: STREAM, body })
    await stream.untilBlocks(1)
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect(stream.results).toEqual([])
  }
  expect(await gateway.metric('sluice_groups')).toBe(1)
})

test('a subscription of the manifest is compiled before its first event', async () => {
  const gateway = await startTestGateway({ env: envOf('allowed') })
  expect(gateway.engine.stats.compiled).toBe(1)
  const stream = await RawStream.send(gateway.graphql, { headers: STREAM, search: '?documentId=live' })
  await stream.untilHead()
  await gateway.produce({ id: 'one' })
  expect(await stream.untilResults(1)).toEqual([{ data: { orders: { id: 'one' } } }])
  expect(gateway.engine.stats.compiled).toBe(1)
})

test.each([
  ['a broken file', '{', /PERSISTED_OPERATIONS_FILE .* cannot be used: it is not valid JSON/],
  ['operations of another schema', { a: '{ nope }', b: '{ nada }' }, /^None of the 2 operations .* can be run/],
])('the start is refused, and leaves nothing: %s', async (_what, manifest, message) => {
  await expect(startTestGateway({ env: envOf('allowed', manifest) })).rejects.toThrow(message)
})
