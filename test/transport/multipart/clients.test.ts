/** Clients that people already use, with nothing of ours installed, and set up as docs/clients/multipart.md says. */
import { ApolloClient, type ErrorLike, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { CombinedGraphQLErrors, CombinedProtocolErrors } from '@apollo/client/errors'
import type { createClient } from '@urql/core'
import type { Observable } from 'relay-runtime'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startCutProxy } from '../../client/cut-proxy.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { importSnippet } from '../../kit/snippets.ts'
import { until } from '../../kit/until.ts'

const DOCS = 'docs/clients/multipart.md'
const TEXT = 'subscription Europe($region: Region!) { ordersByRegion(region: $region) { id } }'
const variables = { region: 'EUROPE' }
/** Each subscription is cut off after so many bytes of its answer, some parts. */
const CUT_BYTES = [800, 1_100, 900, 1_600]
const ENDS = 10

interface Told {
  readonly ids: string[]
  readonly codes: string[]
  ended: boolean
  stop(): void
}

type Run = (graphql: string, text?: string) => Promise<Told>

function started(): Told {
  const told: Told = { ids: [], codes: [], ended: false, stop: () => {} }
  onTestFinished(() => told.stop())
  return told
}

const idOf = (data: unknown) => (data as { ordersByRegion?: { id: string } } | null | undefined)?.ordersByRegion?.id

function take(told: Told, data: unknown, errors: readonly { extensions?: Record<string, unknown> }[] = []): void {
  told.codes.push(...errors.map(({ extensions }) => String(extensions?.code)))
  const id = idOf(data)
  if (id !== undefined) told.ids.push(id)
}

function errorsOf(error: ErrorLike | undefined) {
  if (CombinedGraphQLErrors.is(error) || CombinedProtocolErrors.is(error)) return error.errors
  return error ? [{ extensions: { code: error.message } }] : []
}

function runApollo(client: ApolloClient, text: string): Told {
  const told = started()
  const subscription = client.subscribe({ query: gql(text), variables }).subscribe({
    next: ({ data, error }) => take(told, data, errorsOf(error)),
    error: (error) => {
      take(told, undefined, errorsOf(error))
      told.ended = true
    },
    complete: () => {
      told.ended = true
    },
  })
  told.stop = () => subscription.unsubscribe()
  return told
}

const bareApollo: Run = async (graphql, text = TEXT) =>
  runApollo(new ApolloClient({ link: new HttpLink({ uri: graphql }), cache: new InMemoryCache() }), text)

const documentedApollo: Run = async (graphql, text = TEXT) => {
  const { client } = await importSnippet<{ client: ApolloClient }>(DOCS, "from '@apollo/client'", graphql)
  return runApollo(client, text)
}

const urql: Run = async (graphql, text = TEXT) => {
  const { client } = await importSnippet<{ client: ReturnType<typeof createClient> }>(
    DOCS,
    "from '@urql/core'",
    graphql,
  )
  const told = started()
  const context = { fetchOptions: { headers: { accept: 'multipart/mixed' } } }
  let last: unknown
  const { unsubscribe } = client.subscription(text, variables, context).subscribe(({ data, error, hasNext }) => {
    // At an end it gives the last result again.
    if (data !== last || error) take(told, data === last ? undefined : data, error?.graphQLErrors ?? [])
    if (error?.networkError) told.codes.push(error.networkError.message)
    last = data
    told.ended = !hasNext
  })
  told.stop = unsubscribe
  return told
}

const relay: Run = async (graphql, text = TEXT) => {
  type Subscribe = (request: { text: string }, variables: object) => ReturnType<typeof Observable.create>
  const { subscribe } = await importSnippet<{ subscribe: Subscribe }>(DOCS, "from 'relay-runtime'", graphql)
  const told = started()
  const { unsubscribe } = subscribe({ text }, variables).subscribe({
    next: (result) => take(told, (result as { data: unknown }).data),
    error: (error: Error & { errors?: { extensions?: Record<string, unknown> }[] }) => {
      take(told, undefined, error.errors ?? [{ extensions: { code: error.message } }])
      told.ended = true
    },
    complete: () => {
      told.ended = true
    },
  })
  told.stop = unsubscribe
  return told
}

const ALL: readonly [string, Run][] = [
  ["Apollo Client's HttpLink alone", bareApollo],
  ['Apollo Client as documented', documentedApollo],
  ['urql', urql],
  ['Relay as documented', relay],
]

async function untilOpen(gateway: TestGateway): Promise<void> {
  await until('it is subscribed', () => gateway.engine.subscribers === 1)
}

describe.each(ALL)('%s', (_name, run) => {
  test('gets what matches, over quiet times, and leaves nothing behind when it unsubscribes', async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS: '100' } })
    const told = await run(gateway.graphql)
    await untilOpen(gateway)
    const quiet = async () => {
      const written = await gateway.metric('sluice_writes_total')
      await until('heartbeats went out', async () => (await gateway.metric('sluice_writes_total')) >= written + 3)
    }
    await quiet()
    await gateway.produce({ id: 'a' }, { id: 'b', region: 'ASIA' })
    await until('the first came', () => told.ids.length === 1)
    await quiet()
    await gateway.produce({ id: 'c' })
    await until('the second came', () => told.ids.length === 2)
    expect([told.ids, told.codes, told.ended]).toEqual([['a', 'c'], [], false])
    told.stop()
    await until('the gateway has let it go', () => gateway.engine.subscribers === 0)
  })

  test('is told the code of a refused operation, and does not come back', async () => {
    const gateway = await startTestGateway()
    const told = await run(gateway.graphql, 'subscription { nope }')
    await until('it has ended', () => told.ended)
    expect(told.codes.at(0)).toBe('GRAPHQL_VALIDATION_FAILED')
    expect(gateway.engine.subscribers).toBe(0)
  })

  test('a query is answered as JSON', async () => {
    const gateway = await startTestGateway()
    await gateway.produce({ id: 'a' })
    const client = new ApolloClient({ link: new HttpLink({ uri: gateway.graphql }), cache: new InMemoryCache() })
    const { data } = await client.query<{ recentOrders: { id: string }[] }>({ query: gql`{ recentOrders { id } }` })
    expect(data?.recentOrders.map(({ id }) => id)).toEqual(['a'])
  })
})

describe.each([
  ['Apollo Client as documented', documentedApollo],
  ['Relay as documented', relay],
] as const)('%s', (_name, run) => {
  test(`survives ${ENDS} planned ends with nothing in between, and misses nothing`, async () => {
    // Delays are random: none here.
    vi.spyOn(Math, 'random').mockReturnValue(0)
    onTestFinished(() => void vi.restoreAllMocks())
    const gateway = await startTestGateway({ env: { STREAM_MAX_AGE_MS: '150' } })
    const told = await run(gateway.graphql)
    const ends = () => gateway.engine.stats.closes.age ?? 0
    await until('ten streams have ended', () => ends() >= ENDS)
    for (const id of ['a', 'b', 'c']) {
      const before = ends()
      await gateway.produce({ id })
      await until('a stream has ended since', () => ends() > before)
    }
    await until('all came', () => told.ids.length >= 3)
    expect([told.ids, told.codes, told.ended]).toEqual([['a', 'b', 'c'], [], false])
  })

  test('comes back after a cut, and misses nothing', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    onTestFinished(() => void vi.restoreAllMocks())
    const gateway = await startTestGateway()
    const left = [...CUT_BYTES]
    const proxy = await startCutProxy(gateway.graphql, () => left.shift() ?? Number.POSITIVE_INFINITY)
    const told = await run(proxy.url)
    await untilOpen(gateway)
    const ids = Array.from({ length: 30 }, (_, i) => `o${i}`)
    for (const id of ids) {
      await gateway.produce({ id })
    }
    await until('all came', () => told.ids.length >= ids.length)
    expect([told.ids, told.ended]).toEqual([ids, false])
    expect(proxy.cuts()).toBeGreaterThan(2)
  })
})

test.each([
  ["Apollo Client's HttpLink alone", bareApollo],
  ['urql', urql],
] as const)('%s is told of a planned end by its code, and ends', async (_name, run) => {
  const gateway = await startTestGateway()
  const told = await run(gateway.graphql)
  await untilOpen(gateway)
  await gateway.produce({ id: 'a' })
  await until('it came', () => told.ids.length === 1)
  await gateway.close()
  await until('it has ended', () => told.ended)
  expect([told.ids, told.codes.at(0)]).toEqual([['a'], 'STREAM_INTERRUPTED'])
})

test('Apollo Client is told of a gap by its code, and lives on', async () => {
  const old = await startTestGateway()
  const stream = await RawStream.subscribe(old.graphql, TEXT, { variables })
  await old.produce({ id: 'lost' })
  await stream.untilResults(1)
  const cursor = stream.blocks.at(-1)?.id
  await old.close()
  const gateway = await startTestGateway()
  const told = await bareApollo(gateway.graphql, TEXT.replace('region: $region', `region: $region, after: "${cursor}"`))
  await untilOpen(gateway)
  await gateway.produce({ id: 'a' }, { id: 'b' })
  await until('it lives on', () => told.ids.length === 2)
  expect([told.ids, told.codes, told.ended]).toEqual([['a', 'b'], ['CURSOR_EXPIRED'], false])
})
