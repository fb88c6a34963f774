import { createClient } from 'graphql-sse'
import { expect, onTestFinished, test } from 'vitest'
import { describeChromium, onPath, startSite } from '../../kit/chromium.ts'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { addressOf, describeNginx } from '../../kit/nginx.ts'
import { until } from '../../kit/until.ts'
import { openSecurePage } from '../../nginx/listeners.ts'
import { curl, type Decoder, inPage, java, nodeFetch, nodeZlib, python, QUERY } from './decoders.ts'

/** No heartbeat comes in the time of a test, so that nothing pushes an event along. */
const HEARTBEAT_MS = '600000'
const AT_ONCE_MS = 10_000

const lacking = ['curl', 'python3', 'java'].filter((program) => onPath([program]) === undefined)
const skipped = lacking.length === 0 ? '' : ` (skipped: ${lacking.join(', ')} not on the PATH)`

/** The official client: Node's fetch, which decodes. */
function officialClient(graphql: string): Decoder {
  const client = createClient({ url: graphql })
  onTestFinished(() => client.dispose())
  let text = ''
  const next = (result: unknown) => {
    text += JSON.stringify(result)
  }
  client.subscribe({ query: QUERY }, { next, error: () => {}, complete: () => {} })
  return { name: 'graphql-sse', text: () => text }
}

/** Produces one order after the other, each when all have output the one before: none may wait for more. */
async function expectAtOnce(gateway: TestGateway, decoders: readonly Decoder[], units: number): Promise<void> {
  await until('all have subscribed', () => gateway.engine.subscribers === decoders.length)
  const cities = ['Ŝtokholmo', 'Zürich', 'Αθήνα', '🌍', 'Łódź']
  const wanted: string[] = []
  for (let unit = 0; unit < units; unit++) {
    const id = `ord_${unit}_`
    wanted.push(id)
    await gateway.produce({ id, city: `${cities[unit % cities.length]} ${unit}` })
    for (const { name, text } of decoders) {
      await until(`${name} has output order ${unit}`, async () => (await text()).includes(id), AT_ONCE_MS)
    }
  }
  for (const { name, text } of decoders) {
    const ids = (await text()).match(/ord_\d+_/g)
    expect(ids, name).toEqual(wanted)
    expect(await text(), name).toContain(cities[3])
  }
  const how = (name: string) => gateway.metric('sluice_compressed_units_total', { how: name })
  console.log(
    `${decoders.map(({ name }) => name).join(', ')}: ${units} units each, compressed ${await how('history')} times with ` +
      `history, ${await how('alone')} times alone`,
  )
  // A machine that is busy with other tests may leave no time for some.
  expect(await how('history')).toBeGreaterThanOrEqual(units / 2)
  expect(await how('history')).toBeLessThanOrEqual(units + 2)
}

/** Tests of every real decoder, over so many units each. */
export function decodersTest({ units, timeout }: { readonly units: number; readonly timeout: number }): void {
  test.skipIf(skipped !== '')(`every decoder outputs each event at once${skipped}`, { timeout }, async () => {
    const gateway = await startTestGateway({ env: { HEARTBEAT_MS } })
    const decoders = [curl, python, java, nodeFetch, nodeZlib, officialClient].map((start) => start(gateway.graphql))
    await expectAtOnce(gateway, decoders, units)
    await gateway.close()
    // A planned end is the end of a whole gzip stream, with a right checksum.
    for (const { name, text } of decoders.slice(1, 3)) {
      await until(`${name} has come to the end`, async () => (await text()).endsWith('whole\n'))
    }
  })

  describeChromium('in Chromium', (browser) => {
    test('EventSource and fetch output each event at once', { timeout }, async () => {
      const gateway = await startTestGateway({ env: { HEARTBEAT_MS } })
      const page = await browser.openPage()
      await page.goto(await startSite())
      await expectAtOnce(gateway, await inPage(page, gateway.graphql), units)
    })

    describeNginx('through Nginx', (nginx) => {
      test.skipIf(skipped !== '')(
        `all of them output each event at once, with gzip on for everything${skipped}`,
        { timeout },
        async () => {
          const gateway = await startTestGateway({ env: { HEARTBEAT_MS } })
          const edit = (config: string) =>
            config.replace(/gzip_types [^;]+;/, 'gzip_types *;\n        gzip_min_length 0;')
          const instances = [{ name: 'test', address: addressOf(gateway.url) }]
          const front = await nginx.start({ instances, heartbeatMs: Number(HEARTBEAT_MS), edit })
          const page = await browser.openPage()
          await openSecurePage(page, await startSite())
          const decoders = [curl, python, java, nodeFetch, nodeZlib, officialClient].map((start) =>
            start(front.graphql),
          )
          await expectAtOnce(gateway, [...decoders, ...(await inPage(page, front.graphql))], units)
        },
      )
    })
  })
}
