import { expect, onTestFinished, test } from 'vitest'
import { type Block, parseBlock } from '../kit/blocks.ts'
import { anOrder, startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const EVERY_MS = 100
const MERCHANTS = Array.from({ length: 12 }, (_, i) => `m_${i}`)
const QUERY = `subscription { ordersByRegion(region: EUROPE, throttle: { everyMs: ${EVERY_MS}, by: "merchantId" }) { id merchantId } }`

interface Shown {
  readonly id: string
  readonly merchantId: string
}

/** A page that shows the newest order of each merchant. It asks for compression, as fetch does by itself. */
class Dashboard {
  readonly #url: string
  readonly shown: Shown[] = []
  readonly ids: string[] = []
  /** The newest order of each merchant. */
  readonly tiles = new Map<string, string>()
  coding: string | null = null
  isOpen = false
  #abort = new AbortController()

  constructor(url: string) {
    this.#url = url
    onTestFinished(() => this.#abort.abort())
  }

  /** Opens a stream: with the cursor, if there is one. */
  async open(): Promise<void> {
    this.#abort = new AbortController()
    const lastId = this.ids.at(-1)
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        'accept-encoding': 'gzip',
        'content-type': 'application/json',
        ...(lastId !== undefined && { 'last-event-id': lastId }),
      },
      body: JSON.stringify({ query: QUERY }),
      signal: this.#abort.signal,
    })
    this.coding = response.headers.get('content-encoding')
    this.isOpen = true
    void this.#read(response.body as ReadableStream<Uint8Array>).catch(() => {})
    await until('the stream has begun', () => this.ids.length > (lastId === undefined ? 0 : 1))
  }

  cut(): void {
    this.isOpen = false
    this.#abort.abort()
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const bytes of body) {
      const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
      rest = blocks.pop() as string
      // What comes after the cut is lost with the connection.
      for (const block of blocks) if (this.isOpen) this.#take(parseBlock(block))
    }
  }

  #take({ id, event, data }: Block): void {
    if (event === 'next') {
      const order = (JSON.parse(data ?? '') as { data: { ordersByRegion: Shown } }).data.ordersByRegion
      this.shown.push(order)
      this.tiles.set(order.merchantId, order.id)
    }
    if (id !== undefined) this.ids.push(id)
  }
}

test('dashboards over a long compressed run, one of which comes back in the middle: right tiles, few frames', async () => {
  const gateway = await startTestGateway({ partitions: 3, env: { HEARTBEAT_MS: '320' } })
  const begun = performance.now()
  const [steady, moving] = [new Dashboard(gateway.graphql), new Dashboard(gateway.graphql)]
  await Promise.all([steady.open(), moving.open()])
  expect([steady.coding, gateway.engine.groups]).toEqual(['gzip', 1])
  const newest = new Map<string, string>()
  let produced = 0
  const produce = async (): Promise<void> => {
    const orders = MERCHANTS.map((merchantId) => anOrder({ id: `ord_t${++produced}`, merchantId }))
    for (const { merchantId, id } of orders) newest.set(merchantId, id)
    await gateway.produce(...orders)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const produceUntil = async (frames: number, who: Dashboard): Promise<void> => {
    while (who.shown.length < frames) await produce()
  }
  await produceUntil(10 * MERCHANTS.length, moving)
  moving.cut()
  await produceUntil(20 * MERCHANTS.length, steady)
  const atReturn = moving.shown.length
  await moving.open()
  await produceUntil(30 * MERCHANTS.length, steady)
  for (const who of [steady, moving]) {
    await until('each tile shows the newest order', () => [...newest].every(([m, id]) => who.tiles.get(m) === id))
  }
  const intervals = Math.floor((performance.now() - begun) / EVERY_MS) + 1
  const ofMerchant = (who: Dashboard) => MERCHANTS.map((m) => who.shown.filter(({ merchantId }) => merchantId === m))
  // Each merchant at most once in an interval; one who comes back is shown each once more.
  for (const shown of ofMerchant(steady)) expect(shown.length).toBeLessThanOrEqual(intervals)
  for (const shown of ofMerchant(moving)) expect(shown.length).toBeLessThanOrEqual(intervals + 1)
  // Nothing goes back: not even where one who comes back is shown something again.
  for (const shown of [...ofMerchant(steady), ...ofMerchant(moving)]) {
    const numbers = shown.map(({ id }) => Number(id.slice('ord_t'.length)))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  }
  expect(moving.shown.length).toBeGreaterThan(atReturn)
  console.log(`${produced} orders, ${steady.shown.length} and ${moving.shown.length} shown in ${intervals} intervals`)
  expect(produced).toBeGreaterThan(2 * steady.shown.length)
  expect(await gateway.metric('sluice_throttled_events_total')).toBeGreaterThan(0)
  expect(await gateway.metric('sluice_throttle_early_total')).toBe(0)
})

test('the last orders, throttled by merchant, are the latest order of each merchant among them', async () => {
  const gateway = await startTestGateway({ partitions: 1 })
  const orders = Array.from({ length: 200 }, (_, i) => anOrder({ id: `ord_${i}`, merchantId: `m_${i % 7}` }))
  await gateway.produce(...orders)
  await until(
    'all have been read',
    async () => (await gateway.metric('sluice_events_total', { topic: 'orders' })) === 200,
  )
  const query = `subscription { ordersByRegion(region: EUROPE, last: 50, throttle: { everyMs: 3600000, by: "merchantId" }) { id } }`
  const stream = await RawStream.subscribe(gateway.graphql, query)
  await stream.untilResults(7)
  const ids = stream.results.map(({ data }) => (data?.ordersByRegion as Shown | undefined)?.id)
  expect(ids.toSorted()).toEqual(orders.slice(-7).map(({ id }) => id))
})

test('a throttle that cannot be is refused with the limits, or the paths that may be used', async () => {
  const gateway = await startTestGateway()
  const ask = async (throttle: string) => {
    const response = await fetch(gateway.graphql, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query: `subscription { ordersByRegion(region: ASIA, throttle: ${throttle}) { id } }` }),
    })
    const [, data = '{}'] = /^data: (\{"errors".*)$/m.exec(await response.text()) ?? []
    const [error] = (JSON.parse(data) as { errors?: { message: string; extensions: { code: string } }[] }).errors ?? []
    return [error?.extensions.code, error?.message]
  }
  const limits = '"throttle.everyMs" is a number of milliseconds from 50 to 3600000'
  for (const everyMs of [0, -5, 2_147_483_647])
    expect(await ask(`{ everyMs: ${everyMs} }`)).toEqual(['BAD_USER_INPUT', limits])
  const year = await ask('{ everyMs: 31536000000 }')
  expect(year[0]).toBe('GRAPHQL_VALIDATION_FAILED')
  const paths = ['city', 'country', 'id', 'itemCount', 'merchantId', 'placedAt', 'region', 'status']
  const nested = ['location.lat', 'location.lon', 'total.amount', 'total.currency']
  const names = [...paths, ...nested].map((path) => `"${path}"`).join(', ')
  for (const by of ['total', 'total.', 'total.cents', '', 'ID', 'x'.repeat(1000)]) {
    expect(await ask(`{ everyMs: 100, by: "${by}" }`)).toEqual(['BAD_USER_INPUT', `"throttle.by" is one of ${names}`])
  }
  expect((await ask('{ everyMs: 100, mode: LAST }'))[0]).toBe('GRAPHQL_VALIDATION_FAILED')
  expect((await ask('{}'))[0]).toBe('GRAPHQL_VALIDATION_FAILED')
  expect(gateway.engine.groups).toBe(0)
})
