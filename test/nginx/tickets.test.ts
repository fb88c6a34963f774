import { EventSource } from 'eventsource'
import { expect, onTestFinished, test } from 'vitest'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx } from '../kit/nginx.ts'
import { makeIssuer } from '../kit/tokens.ts'
import { until } from '../kit/until.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'

describeNginx('tickets behind Nginx', (nginx) => {
  /** Two gateways that read the same log, with one secret. */
  async function start() {
    const issuer = await makeIssuer()
    const embedded = createEmbeddedLog()
    for (const topic of ['orders', 'region-sales']) embedded.createTopic(topic, 6)
    const env = { AUTH_KEY_FILE: issuer.keyFile(), TICKET_SECRET: 's'.repeat(32), HEARTBEAT_MS: '200' }
    const gateways = await Promise.all(
      ['a', 'b'].map((name) => startTestGateway({ embedded, env: { ...env, INSTANCE_ID: name } })),
    )
    const instances = gateways.map(({ url }, i) => ({ name: 'ab'[i] as string, address: addressOf(url) }))
    return { issuer, gateways, front: await nginx.start({ instances }) }
  }

  test('are given by one instance, good at the other, and in none of its logs', async () => {
    const { issuer, gateways, front } = await start()
    const token = await issuer.sign()
    const response = await fetch(`${front.origin}/ticket`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: QUERY }),
    })
    expect(response.status).toBe(201)
    const { ticket } = (await response.json()) as { ticket: string }

    const received: string[][] = []
    for (let i = 0; i < 4; i++) {
      const own: string[] = []
      received.push(own)
      const source = new EventSource(`${front.graphql}?ticket=${ticket}`)
      onTestFinished(() => source.close())
      source.addEventListener('next', ({ data }) => own.push(JSON.parse(data).data.ordersByRegion.id))
    }
    const subscribers = () => gateways.map(({ engine }) => engine.subscribers)
    await until('both have streams', () => subscribers().join() === '2,2')
    await gateways[0]?.produce({ id: 'ord_1' })
    await until('all have the order', () => received.every(([first]) => first === 'ord_1'))

    // Also where Nginx has something to complain about.
    const search = `?ticket=${ticket}`
    expect((await fetch(`${front.origin}/ticket${search}`, { method: 'GET' })).status).toBe(405)
    expect((await fetch(`${front.origin}/other${search}`)).status).toBe(404)
    await Promise.all(gateways.map((gateway) => gateway.close()))
    expect((await fetch(`${front.graphql}${search}`)).status).toBe(502)
    expect((await fetch(`${front.origin}/ticket${search}`, { method: 'POST', body: 'x' })).status).toBe(502)
    await until('all of it is logged', () => front.accessLog().filter(({ status }) => status === '502').length === 2)
    for (const secret of [ticket, token]) expect(front.logs()).not.toContain(secret)
  })
})
