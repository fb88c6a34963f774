import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { beforeAll, expect, test } from 'vitest'
import type { LiveListSnapshot } from '../../../packages/client/src/react/live-list.ts'
import type { TableSnapshot } from '../../../packages/client/src/react/table-rows.ts'
import type { SubscriptionResult } from '../../../packages/client/src/react.ts'
import { describeChromium, startSite } from '../../kit/chromium.ts'
import { anOrder, startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { until } from '../../kit/until.ts'
import type { Harness, Spec } from './page.ts'

const ORDERS =
  'subscription Orders($last: Int, $where: OrderFilter) { orders(last: $last, where: $where) { id status } }'
const SALES = 'subscription { regionSales { op key row { region orders } } }'

type List = LiveListSnapshot<{ id: string; status: string }>
type Latest = SubscriptionResult<{ orders: { id: string } }>

let script: string

beforeAll(async () => {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    // React's strict mode mounts twice in development only.
    define: { 'process.env.NODE_ENV': '"development"' },
    build: {
      write: false,
      minify: false,
      lib: { entry: fileURLToPath(new URL('page.ts', import.meta.url)), formats: ['iife'], name: 'page' },
    },
  })
  const output = [built].flat().flatMap((one) => ('output' in one ? one.output : []))
  script = output.map((one) => ('code' in one ? one.code : '')).join('')
})

class HookPage {
  readonly #page: Page
  readonly gateway: TestGateway

  constructor(page: Page, gateway: TestGateway) {
    this.#page = page
    this.gateway = gateway
  }

  #harness<T, A>(run: (harness: Harness, argument: A) => T, argument: A): Promise<T> {
    const call = new Function('argument', `return (${run.toString()})(globalThis.harness, argument)`)
    return this.#page.evaluate(call as (argument: unknown) => T, argument as never)
  }

  start = () => this.#harness((harness, url) => harness.start(url), this.gateway.graphql)
  show = (...specs: Spec[]) => this.#harness((harness, all) => harness.show(all), specs)
  shown = <T>(name: string) => this.#harness((harness, n) => harness.shown[n] as T, name)
  heard = (name: string) => this.#harness((harness, n) => harness.heard[n] ?? [], name)
  renders = (name: string) => this.#harness((harness, n) => harness.renders[n] ?? 0, name)
  subscriptions = () => this.#harness((harness) => harness.subscriptions, null)
  cut = () => this.#harness((harness) => harness.cut(), null)

  async ids(name: string): Promise<string[]> {
    return (await this.shown<List>(name)).items.map(({ id }) => id)
  }

  subscribed(count: number): Promise<void> {
    return until(`${count} are subscribed`, async () => (await this.gateway.metric('sluice_subscribers')) === count)
  }
}

describeChromium('the hooks', (browser) => {
  async function open(): Promise<HookPage> {
    const gateway = await startTestGateway({ env: { WINDOW_BYTES: String(64 * 1024) } })
    const page = await browser.openPage()
    await page.goto(await startSite())
    await page.addScriptTag({ content: script })
    const hooks = new HookPage(page, gateway)
    await hooks.start()
    return hooks
  }
  const list = (name: string, more: Partial<Spec> = {}): Spec => ({
    name,
    hook: 'list',
    query: ORDERS,
    max: 10,
    ...more,
  })

  test('share one subscription where they ask the same thing, and leave none behind', async () => {
    const page = await open()
    const where = { region: { eq: 'EUROPE' }, status: { ne: 'CANCELLED' } }
    const latest: Spec = { name: 'latest', hook: 'subscription', query: ORDERS, variables: { last: 2, where } }
    await page.show(list('a', { variables: { last: 2, where } }), list('b', { variables: { where, last: 2 } }), latest)
    await page.subscribed(1)
    await page.gateway.produce({ id: 'x' }, { id: 'y' }, { id: 'x', status: 'PAID' })
    await until('all show it', async () => (await page.ids('a')).length === 2)
    expect((await page.shown<List>('a')).items).toEqual([
      { id: 'x', status: 'PAID' },
      { id: 'y', status: 'PLACED' },
    ])
    expect(await page.shown('b')).toEqual(await page.shown('a'))
    await until('the latest is shown', async () => (await page.shown<Latest>('latest')).data?.orders.id === 'x')
    expect(await page.heard('latest')).toHaveLength(3)
    expect(await page.subscriptions()).toBe(1)

    // One that goes takes nothing from the others.
    await page.show(list('b', { variables: { where, last: 2 } }))
    await page.gateway.produce({ id: 'z' })
    await until('it shows more', async () => (await page.ids('b')).length === 3)
    expect(await page.subscriptions()).toBe(1)
    await page.show()
    await page.subscribed(0)
  })

  test('give one that comes later its own past, where it shows something else', async () => {
    const page = await open()
    const variables = { last: 3 }
    await page.gateway.produce({ id: 'a' }, { id: 'b' }, { id: 'c' })
    await page.show(list('early', { variables }))
    await until('it is shown', async () => (await page.ids('early')).length === 3)
    await page.show(list('early', { variables }), list('same', { variables }), list('other', { variables, max: 2 }))
    await until('the other is shown', async () => (await page.ids('other')).length === 2)
    expect(await page.ids('other')).toEqual(['c', 'b'])
    expect(await page.ids('same')).toEqual(['c', 'b', 'a'])
    expect(await page.subscriptions()).toBe(2)
  })

  test('begin anew for other variables, and only then', async () => {
    const page = await open()
    const one = (region: string, more: Partial<Spec> = {}) =>
      list('one', { variables: { last: 5, where: { region: { eq: region } } }, ...more })
    await page.show(one('EUROPE'))
    await page.subscribed(1)
    for (let round = 0; round < 5; round++) await page.show(one('EUROPE'))
    await page.gateway.produce({ id: 'e' })
    await until('it is shown', async () => (await page.ids('one')).length === 1)
    expect(await page.subscriptions()).toBe(1)

    await page.show(one('ASIA'))
    await until('it begins anew', async () => (await page.ids('one')).length === 0)
    // Whether it has begun at the gateway or not: it asks for the last ones.
    await page.gateway.produce({ id: 'e2' }, { id: 'a', region: 'ASIA' })
    await until('it is shown', async () => (await page.ids('one')).length === 1)
    expect(await page.ids('one')).toEqual(['a'])
    expect(await page.subscriptions()).toBe(2)

    await page.show(one('ASIA', { skip: true }))
    await page.subscribed(0)
    expect((await page.shown<List>('one')).state).toEqual({ status: 'ended', why: 'stopped' })
    await page.show(one('ASIA'))
    await page.subscribed(1)
  })

  test('render once a frame, not once an event', async () => {
    const page = await open()
    await page.show(list('many', { max: 1_000 }))
    await page.subscribed(1)
    const before = await page.renders('many')
    const ids = Array.from({ length: 2_000 }, (_, i) => ({ id: `o${i}` }))
    await page.gateway.produce(...ids)
    await until('the last is shown', async () => (await page.ids('many'))[0] === 'o1999')
    expect(await page.ids('many')).toEqual(
      ids
        .slice(1_000)
        .map(({ id }) => id)
        .reverse(),
    )
    const renders = (await page.renders('many')) - before
    console.log(`2000 events in ${renders} renders, each of them twice by the strict mode`)
    expect(renders).toBeLessThan(500)
    expect(await page.heard('many')).toHaveLength(2_000)
  })

  test('subscribe nothing for a component that is suspended', async () => {
    const page = await open()
    await page.show(list('waits', { suspended: true }), list('goes', { variables: { last: 1 } }))
    await page.subscribed(1)
    expect(await page.renders('waits')).toBeGreaterThan(0)
    expect(await page.subscriptions()).toBe(1)
  })

  test('show the code of a refusal, and ask again when mounted again', async () => {
    const page = await open()
    const wrong: Spec = { name: 'wrong', hook: 'subscription', query: 'subscription { nope }' }
    await page.show(wrong)
    await until('it has ended', async () => (await page.shown<Latest>('wrong')).state.status === 'ended')
    const { code, errors, data, state } = await page.shown<Latest & { code: string }>('wrong')
    expect(code).toBe('GRAPHQL_VALIDATION_FAILED')
    expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }])
    expect({ data, state }).toMatchObject({ data: undefined, state: { status: 'ended', why: 'refused' } })
    expect(await page.subscriptions()).toBe(1)
    await page.show()
    await page.show(wrong)
    await until('it asks again', async () => (await page.subscriptions()) === 2)
  })

  test('show a gap, and go on behind it', async () => {
    const page = await open()
    const { gateway } = page
    const produce = (from: number, to: number) =>
      gateway.embedded.sink.send(
        'orders',
        Array.from({ length: to - from }, (_, i) => ({
          key: null,
          value: JSON.stringify(anOrder({ id: `o${from + i}` })),
          partition: 0,
        })),
      )
    await page.show(list('list', { max: 500 }))
    await page.subscribed(1)
    await produce(0, 3)
    await until('it is shown', async () => (await page.ids('list')).length === 3)
    await page.cut()
    // While it waits to come back.
    await produce(3, 400)
    gateway.embedded.deleteRecords('orders', 0, 300)
    await until('it is where the log is', async () => (await page.ids('list'))[0] === 'o399')
    await until('it is live', async () => (await page.shown<List>('list')).state.status === 'live')
    const { gaps } = await page.shown<List>('list')
    expect(gaps).toMatchObject([{ topic: 'orders', gaps: [{ from: 3, to: 300, reason: 'retention' }] }])
    expect(await page.ids('list')).toHaveLength(103)
  })

  test('show a table as it is now', async () => {
    const page = await open()
    const sales = (region: string, orders: number | null) => {
      const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString()
      const value = orders === null ? null : JSON.stringify({ region, minute, orders, sales: '10.00' })
      return page.gateway.embedded.sink.send('region-sales', [{ key: `${region} ${minute}`, value, partition: 0 }])
    }
    await sales('ASIA', 1)
    await page.show({ name: 'table', hook: 'table', query: SALES })
    type Rows = Omit<TableSnapshot<unknown>, 'rows'> & { rows: Record<string, { region: string; orders: number }> }
    const rows = async () =>
      Object.values((await page.shown<Rows>('table')).rows).map(({ region, orders }) => `${region} ${orders}`)
    await until('it is ready', async () => (await page.shown<Rows>('table')).ready)
    await sales('ASIA', 2)
    await sales('EUROPE', 1)
    await until('both are shown', async () => (await rows()).length === 2)
    await until('they are the latest', async () => (await rows())[0] === 'ASIA 2')
    expect(await rows()).toEqual(['ASIA 2', 'EUROPE 1'])
    await sales('ASIA', null)
    await until('it is removed', async () => (await rows()).length === 1)
    expect(await rows()).toEqual(['EUROPE 1'])
  })
})
