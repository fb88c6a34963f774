/** Readers of event streams, of other makes: what each takes the blocks for that have a position only. */

import { fetchEventSource } from '@microsoft/fetch-event-source'
import { EventSource } from 'eventsource'
import { createClient } from 'graphql-sse'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { headerOf, startTapProxy } from '../kit/tap-proxy.ts'
import { until } from '../kit/until.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'
const SEARCH = `?${new URLSearchParams({ query: QUERY })}`

interface Told {
  readonly ids: string[]
  /** What a reader has handed on besides results, by type. */
  readonly others: string[]
}

/** Its answers are readable in a proxy. */
const start = () => startTestGateway({ env: { HEARTBEAT_MS: '100', COMPRESSION: 'off' } })

/** Produces orders with quiet times between them, in which heartbeats say that others were passed. */
async function produceQuietly(gateway: TestGateway, told: Told): Promise<void> {
  await until('it is subscribed', () => gateway.engine.subscribers === 1)
  for (const id of ['a', 'b']) {
    await gateway.produce({ id: 'passed', region: 'ASIA' })
    const written = await gateway.metric('sluice_writes_total')
    await until('heartbeats went out', async () => (await gateway.metric('sluice_writes_total')) >= written + 3)
    await gateway.produce({ id })
    await until(`${id} came`, () => told.ids.at(-1) === id)
  }
  expect(told.ids).toEqual(['a', 'b'])
}

function takeJson(told: Told, data: string): void {
  told.ids.push(JSON.parse(data).data.ordersByRegion.id)
}

/** Headers of a browser's own EventSource. */
const BROWSER = {
  accept: 'text/event-stream',
  'cache-control': 'no-cache',
  'sec-fetch-dest': 'empty',
  'sec-fetch-mode': 'cors',
  'sec-fetch-site': 'cross-site',
}

test.each([
  ['a browser’s own EventSource', 'GET', BROWSER, true],
  ['one that comes back', 'GET', { ...BROWSER, pragma: 'no-cache', 'sec-fetch-mode': 'same-origin' }, true],
  ['fetch in a browser', 'GET', { ...BROWSER, 'cache-control': 'max-age=0' }, false],
  ['POST in a browser', 'POST', BROWSER, false],
  [
    'a program that sends no headers of a browser',
    'GET',
    { accept: BROWSER.accept, 'cache-control': 'no-cache' },
    false,
  ],
  ['who accepts anything else as well', 'GET', { ...BROWSER, accept: 'text/event-stream, */*' }, false],
] as const)('positions come with an empty data line, or without: %s', async (_who, method, headers, hasData) => {
  const gateway = await start()
  const request = method === 'GET' ? { search: SEARCH, headers } : { method, headers, body: { query: QUERY } }
  const stream = await RawStream.send(gateway.graphql, request)
  const [opening, heartbeat] = await stream.untilBlocks(2)
  const data = hasData ? { data: '' } : {}
  const id = expect.stringMatching(/^[\w-]+$/)
  expect([opening, heartbeat]).toEqual([
    { retry: expect.stringMatching(/^\d+$/), id, ...data },
    { id, ...data },
  ])
})

test('both are members of one group, and share the bytes of results', async () => {
  const gateway = await startTestGateway()
  const streams = [
    await RawStream.send(gateway.graphql, { search: SEARCH, headers: BROWSER }),
    await RawStream.subscribe(gateway.graphql, QUERY),
  ]
  await until('both are open', () => gateway.engine.subscribers === 2)
  await gateway.produce({ id: 'a' })
  for (const stream of streams) await stream.untilResults(1)
  expect(gateway.engine.groups).toBe(1)
  const [one, other] = streams.map(({ body }) => body.slice(body.indexOf('\n\n') + 2))
  expect(one).toBe(other)
})

test('graphql-sse hears of results only', async () => {
  const gateway = await start()
  const told: Told = { ids: [], others: [] }
  const client = createClient({
    url: gateway.graphql,
    retryAttempts: 0,
    onMessage: ({ event, data }) => {
      if (event !== 'next') told.others.push(`${event} ${JSON.stringify(data)}`)
    },
  })
  onTestFinished(() => client.dispose())
  client.subscribe(
    { query: QUERY },
    {
      next: (result) => takeJson(told, JSON.stringify(result)),
      error: (error) => told.others.push(`${error}`),
      complete: () => {},
    },
  )
  await produceQuietly(gateway, told)
  expect(told.others).toEqual([])
})

test('@microsoft/fetch-event-source moves its position by each block; it gives them all to onmessage, as any comment', async () => {
  // It is for pages, and looks for what these have.
  Object.assign(globalThis, { window: globalThis, document: new EventTarget() })
  const gateway = await start()
  const proxy = await startTapProxy(gateway.graphql)
  const told: Told = { ids: [], others: [] }
  const stopped = new AbortController()
  onTestFinished(() => stopped.abort())
  const done = fetchEventSource(proxy.url + SEARCH, {
    signal: stopped.signal,
    openWhenHidden: true,
    onmessage({ event, data }) {
      if (event === 'next') takeJson(told, data)
      else told.others.push(event + data)
    },
    // An end is final to it, unless this throws.
    onclose() {
      throw new Error('The stream has ended')
    },
    onerror: () => 0,
  })
  await produceQuietly(gateway, told)
  // Neither a name nor data: there is nothing to parse.
  expect(new Set(told.others)).toEqual(new Set(['']))
  expect(proxy.answers[0]).not.toMatch(/^data:\s*$/m)
  await gateway.produce({ id: 'passed', region: 'ASIA' })
  const ids = () => [...(proxy.answers[0] ?? '').matchAll(/^id: (\S+)$/gm)].map(([, id]) => id)
  const count = ids().length
  await until('a heartbeat says so', () => ids().length > count + 1)
  proxy.cut()
  await until('it comes back', () => proxy.requests[1]?.endsWith('\r\n\r\n') === true)
  expect(headerOf(proxy.requests[1], 'last-event-id')).toBe(ids().at(-1))
  stopped.abort()
  await done
  for (const name of ['window', 'document']) Reflect.deleteProperty(globalThis, name)
})

test('eventsource, for Node, is told as a browser is: its position moves in quiet times', async () => {
  const gateway = await start()
  const proxy = await startTapProxy(gateway.graphql)
  const told: Told = { ids: [], others: [] }
  const source = new EventSource(proxy.url + SEARCH)
  onTestFinished(() => source.close())
  source.addEventListener('next', ({ data }) => takeJson(told, data))
  const positions: string[] = []
  source.addEventListener('message', ({ lastEventId, data }) => positions.push(lastEventId + data))
  await produceQuietly(gateway, told)
  await gateway.produce({ id: 'passed', region: 'ASIA' })
  const before = positions.at(-1)
  await until('a heartbeat says so', () => positions.at(-1) !== before)
  proxy.cut()
  const last = positions.at(-1)
  await until('it comes back', () => proxy.requests[1]?.endsWith('\r\n\r\n') === true)
  expect(headerOf(proxy.requests[1], 'last-event-id')).toBe(last)
})
