import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { addressOf, type GatewayProcess, startGatewayProcess } from '../../deploy/stack/gateway.ts'
import { describeNginx, type NginxKit, type TestNginx } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { officialClient } from './listeners.ts'

/** Three of these are how long an instance may be silent. */
const HEARTBEAT_MS = 400
const SUBSCRIPTION = { query: 'subscription { ordersByRegion(region: EUROPE) { id } }' }
const CLIENTS = 20

/** Nginx before two gateways in processes of their own, one at a unix socket and one at a port, each with its own orders. */
async function startTwo(nginx: NginxKit): Promise<{ front: TestNginx; gateways: GatewayProcess[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-processes-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const ports = await freePorts(3)
  const places = [
    { name: 'unix', port: undefined, adminPort: ports[0]! },
    { name: 'tcp', port: ports[1]!, adminPort: ports[2]! },
  ]
  const env = { KAFKA_BROKERS: '', DEMO_RATE: '100', HEARTBEAT_MS: String(HEARTBEAT_MS) }
  const gateways = places.map((place) => startGatewayProcess({ ...place, folder, env }))
  onTestFinished(async () => {
    await Promise.all(gateways.map(({ child }) => child.stop('SIGKILL', 0)))
  })
  await Promise.all(gateways.map(({ ready }) => ready()))
  const instances = places.map((place) => ({ name: place.name, address: addressOf(place, folder) }))
  return { gateways, front: await nginx.start({ instances, heartbeatMs: HEARTBEAT_MS }) }
}

async function subscribers({ adminUrl }: GatewayProcess): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  return Number(/^sluice_subscribers\S* (\d+)/m.exec(text)?.[1])
}

/** Each client has had an order since now. */
async function untilAllGetOrders(clients: ReturnType<typeof officialClient>[]): Promise<void> {
  const counts = clients.map(({ received }) => (received() as string[]).length)
  await until('every client got an order', () =>
    clients.every(({ received }, i) => (received() as string[]).length > counts[i]!),
  )
}

describeNginx('twenty official clients on two real gateways behind Nginx', (nginx) => {
  test('all get orders again when one gateway is killed with -9, and no new request sees an error', async () => {
    const { front, gateways } = await startTwo(nginx)
    const clients = Array.from({ length: CLIENTS }, () => officialClient(front.graphql))
    await untilAllGetOrders(clients)
    expect(await Promise.all(gateways.map(subscribers))).toEqual([CLIENTS / 2, CLIENTS / 2])
    const [killed, other] = gateways as [GatewayProcess, GatewayProcess]
    killed.child.kill()
    await killed.child.ended
    const statuses = new Set<number>()
    for (let count = 0; count < 50; count++) {
      const init = { method: 'POST', body: JSON.stringify({ query: '{ __typename }' }) }
      statuses.add((await fetch(front.graphql, { ...init, headers: { 'content-type': 'application/json' } })).status)
    }
    expect(statuses).toEqual(new Set([200]))
    await untilAllGetOrders(clients)
    expect(await subscribers(other)).toBe(CLIENTS)
  })

  test('have left a frozen gateway after six heartbeats, and use it again when it has thawed', async () => {
    const { front, gateways } = await startTwo(nginx)
    const clients = Array.from({ length: CLIENTS }, () => officialClient(front.graphql))
    await untilAllGetOrders(clients)
    const [frozen, healthy] = gateways as [GatewayProcess, GatewayProcess]
    frozen.child.signal('SIGSTOP')
    const at = performance.now()
    await until('all are with the other one', async () => (await subscribers(healthy)) === CLIENTS)
    await untilAllGetOrders(clients)
    const ms = performance.now() - at
    // A stream is cut after three heartbeats, and its client may be sent to the frozen one once more, for as long.
    expect(ms).toBeGreaterThan(2 * HEARTBEAT_MS)
    expect(ms).toBeLessThan(6 * HEARTBEAT_MS + 5_000) // a busy machine
    frozen.child.signal('SIGCONT')
    await until('nobody is left on the one that thawed', async () => (await subscribers(frozen)) === 0)
    await until('it is asked again', async () => {
      const stream = new AbortController()
      const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
      await fetch(front.graphql, { method: 'POST', headers, body: JSON.stringify(SUBSCRIPTION), signal: stream.signal })
      const asked = (await subscribers(frozen)) > 0
      stream.abort()
      return asked
    })
    console.log(`frozen: all ${CLIENTS} clients got orders again after ${ms.toFixed()} ms`)
  })

  test('keep their streams through a reload, while new ones are for the new workers', async () => {
    const { front } = await startTwo(nginx)
    const clients = Array.from({ length: CLIENTS }, () => officialClient(front.graphql))
    await untilAllGetOrders(clients)
    const before = front.workers()
    await front.reload()
    const now = front.workers()
    expect(now.filter((pid) => !before.includes(pid))).toHaveLength(2)
    await untilAllGetOrders(clients)
    expect(front.accessLog()).toEqual([]) // no stream has ended
    for (let i = 0; i < 20; i++) expect((await fetch(`${front.graphql}?query={__typename}`)).status).toBe(200)
  })
})

describeNginx('single connection mode on two real gateways behind Nginx', (nginx) => {
  test('finds each stream by the token that its gateway gave, and none of a gateway that is gone', async () => {
    const { front, gateways } = await startTwo(nginx)
    /** Each request over a connection of its own; a stream that opened is left at once. */
    const status = async (search: string, init: RequestInit = {}): Promise<number> => {
      const leave = new AbortController()
      const headers = { connection: 'close', ...(init.headers as Record<string, string>) }
      const answer = await fetch(front.graphql + search, { ...init, headers, signal: leave.signal })
      leave.abort()
      return answer.status
    }
    const operation = (number: number, token: string) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-graphql-event-stream-token': token },
      body: JSON.stringify({ ...SUBSCRIPTION, extensions: { operationId: String(number) } }),
    })
    const tokens = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(front.graphql, { method: 'PUT' })).text()),
    )
    const names = tokens.map((token) => token.split('.')[0])
    expect(new Set(names)).toEqual(new Set(['unix', 'tcp']))
    for (const [i, token] of tokens.entries()) {
      expect(await status('', operation(i, token))).toBe(202)
      const query = { method: 'DELETE' }
      expect(await status(`?operationId=${i}&token=${token}`, query)).toBe(200)
      expect(await status(`?token=${token.replace(/..$/, 'xx')}`, { headers: { accept: 'text/event-stream' } })).toBe(
        404,
      )
    }
    gateways[0]!.child.kill()
    await gateways[0]!.child.ended
    for (const [i, token] of tokens.entries()) {
      expect(await status('', operation(i, token))).toBe(names[i] === 'unix' ? 404 : 202)
      const stream = { headers: { accept: 'text/event-stream' } }
      expect(await status(`?token=${token}`, stream)).toBe(names[i] === 'unix' ? 404 : 200)
    }
  })
})
