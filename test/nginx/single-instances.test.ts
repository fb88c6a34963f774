import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { REGIONS } from '../../src/streams/topics/orders.ts'
import { describeKafka } from '../kit/kafka.ts'
import { describeNginx, type TestNginx } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { type Instances, startInstances } from './single-instances.ts'
import { listen, officialClient, resume } from './single-listeners.ts'
import { reachEachInstance } from './single-reservations.ts'
import { ask, forEach, SingleSession, tally } from './single-session.ts'

const NAMES = ['gateway-1', 'tcp-2', 'no-3'] as const
const HEADER = 'x-graphql-event-stream-token'
const ASIA = 'subscription { ordersByRegion(region: ASIA) { id } }'
/** Of which some fall to each instance. */
const SESSIONS = 30
/** 500 in the long test. */
const RESERVATIONS = 100
/** Requests under way at once: more than there are instances, so that their answers overlap. */
const AT_ONCE = 16
const CLIENTS = 12
/** Of them: those that do not resume. */
const PLAIN_CLIENTS = 3
/** Between two orders of a region. */
const PACE_MS = 10
const STREAM = { accept: 'text/event-stream' }

describeNginx('single connection mode behind two workers of Nginx', (nginx) => {
  describeKafka(
    'on three real gateways and a real broker',
    () => {
      let instances: Instances
      let front: TestNginx
      beforeAll(async () => {
        instances = await startInstances(NAMES)
      })
      afterAll(() => instances?.stop())
      beforeEach(async () => {
        // All clients have one address here.
        front = await nginx.start({ instances: instances.addresses, streamsPerAddress: 4 * RESERVATIONS })
        await until('two workers serve', () => front.workers().length === 2)
      })

      const reserve = (i: number) => SingleSession.reserve(front.graphql, i % 2 ? 'header' : 'query')

      test(`each request of ${RESERVATIONS} reservations reaches its instance, over a connection of its own`, async () => {
        await reachEachInstance(front, instances, RESERVATIONS)
      })

      test('two tokens that differ are refused, and a PUT goes anywhere, whatever tokens it carries', async () => {
        const sessions = await forEach(12, 12, reserve)
        const [one] = sessions as [SingleSession]
        const other = sessions.find(({ instance }) => instance !== one.instance) as SingleSession
        for (const method of ['GET', 'POST', 'DELETE']) {
          // An empty one is an absent one.
          for (const second of [other.token, `gateway-9.${'x'.repeat(22)}`]) {
            const both = { headers: { ...STREAM, [HEADER]: one.token }, query: { token: second, operationId: '1' } }
            expect((await ask(front.graphql, { method, ...both })).status, `${method} ${second}`).toBe(400)
          }
        }
        for (const tokens of [
          [one.token],
          [one.token, one.token],
          [one.token, other.token],
          ['', one.token],
        ] as const) {
          const [header, query] = tokens
          const answers = await forEach(SESSIONS, AT_ONCE, () =>
            ask(front.graphql, {
              method: 'PUT',
              headers: header ? { [HEADER]: header } : {},
              ...(query !== undefined && { query: { token: query } }),
            }),
          )
          expect(tally(answers.map(({ status }) => status))).toEqual({ 201: SESSIONS })
          const spread = tally(answers.map(({ body }) => body.slice(0, body.indexOf('.'))))
          for (const name of NAMES) expect(spread[name], name).toBeGreaterThan(SESSIONS / 6)
        }
      })

      test.each([
        ['an unknown instance', `gateway-9.${'x'.repeat(22)}`],
        ['an admin port', `127.0.0.1:4001.${'x'.repeat(22)}`],
        ['no instance', 'x'],
        ['an instance, and no stream of it', `${NAMES[1]}.${'x'.repeat(22)}`],
        ['an instance in other letters', `${NAMES[1].toUpperCase()}.${'x'.repeat(22)}`],
      ])('a token of %s is answered 404', async (_what, token) => {
        const asked = [
          { method: 'GET', headers: STREAM },
          { method: 'GET', query: { query: ASIA, extensions: '{"operationId":"1"}' } },
          { method: 'POST', body: { query: ASIA, extensions: { operationId: '1' } } },
          { method: 'DELETE', query: { operationId: '1' } },
        ]
        for (const each of asked) {
          const inHeader = await ask(front.graphql, { ...each, headers: { ...each.headers, [HEADER]: token } })
          const inQuery = await ask(front.graphql, { ...each, query: { ...each.query, token } })
          for (const { status, body } of [inHeader, inQuery]) {
            expect([status, JSON.parse(body).errors[0].extensions.code]).toEqual([404, 'STREAM_NOT_FOUND'])
          }
        }
      })

      test('the official client goes on at another instance when its own is killed, and with its cursors nothing is lost or twice', async () => {
        const clients = Array.from({ length: CLIENTS }, (_each, i) =>
          officialClient(front.graphql, { retries: i < PLAIN_CLIENTS }),
        )
        const regions = REGIONS.slice(0, 3)
        const plain = clients
          .slice(0, PLAIN_CLIENTS)
          .flatMap(({ client }) => regions.map((each) => listen(client, each)))
        const resumed = clients
          .slice(PLAIN_CLIENTS)
          .flatMap(({ client }) => regions.map((each) => resume(client, each)))
        const total = plain.length + resumed.length
        const untilAllRun = () =>
          until('all run', async () => sum(await instances.metric('sluice_subscribers')) === total)
        await untilAllRun()
        const before = await instances.metric('sluice_single_streams')
        expect(sum(before)).toBe(CLIENTS)

        const sessions = await forEach(SESSIONS, AT_ONCE, reserve)
        const ids: string[] = []
        const enough = new AbortController()
        onTestFinished(() => enough.abort())
        const production = (async () => {
          while (!enough.signal.aborted) {
            const id = `order-${ids.length}`
            ids.push(id)
            // A region's orders are a merchant's, and so of one partition.
            await instances.produce(...REGIONS.map((region) => ({ id, region, merchantId: region })))
            await delay(PACE_MS)
          }
        })()
        const reached = (count: number) => resumed.every(({ received }) => received.length >= count)
        await until('orders come', () => reached(10))
        const fullest = NAMES.reduce((one, other) => ((before[other] ?? 0) > (before[one] ?? 0) ? other : one))
        const at = performance.now()
        const left = sessions.filter(({ instance }) => instance === fullest)
        expect(left.length).toBeGreaterThan(0)
        await instances.kill(fullest)
        const atKill = ids.length
        await untilAllRun()
        const awayMs = performance.now() - at
        await until('orders come again', () => reached(atKill + 10))
        enough.abort()
        await production
        const last = ids.at(-1)
        await until('all came', () => [...plain, ...resumed].every(({ received }) => received.at(-1) === last))
        for (const { received } of resumed) expect(received).toEqual(ids)

        expect(sum(await instances.metric('sluice_single_streams'))).toBe(CLIENTS)
        const reservations = clients.map(({ requests }) => requests.filter((each) => each === 'PUT 201').length)
        const moved = before[fullest] as number
        expect(tally(reservations)).toEqual({ 1: CLIENTS - moved, 2: moved })
        const answers = tally(clients.flatMap(({ requests }) => requests))
        expect(Object.keys(answers).filter((each) => / 5/.test(each))).toEqual([])
        const missed = plain.map(({ received }) => ids.length - received.length)
        console.log(
          `${total} subscriptions of ${CLIENTS} clients, ${JSON.stringify(before)}, ${ids.length} orders each: all ran ` +
            `again ${awayMs.toFixed()} ms after ${fullest} was killed; the clients that do not resume missed ` +
            `${missed.join(', ')}; ${JSON.stringify(answers)}`,
        )
        for (const { client } of clients) client.dispose()
        await instances.restart(fullest)
        // It knows nothing of what was before.
        for (const session of left) expect(await session.delete('1')).toBe(404)
      })

      test('the tokens of an instance that is killed are answered 404, the others go on, and two may be killed', async () => {
        const sessions = await forEach(SESSIONS, AT_ONCE, async (i) => {
          const session = await reserve(i)
          expect([await session.start('POST', 'first', ASIA), await session.open()]).toEqual([202, 200])
          return session
        })
        const [first, second, third] = NAMES
        const killed: string[] = []
        for (const name of [first, second]) {
          await instances.kill(name)
          killed.push(name)
          const outcomes = await forEach(sessions.length, AT_ONCE, async (i) => {
            const session = sessions[i] as SingleSession
            const statuses = [
              await session.start('POST', name, ASIA),
              await session.start('GET', `${name} again`, ASIA),
              await session.open(),
              await session.delete(name),
            ]
            return `${killed.includes(session.instance) ? 'killed' : 'there'} ${statuses.join(' ')}`
          })
          const gone = sessions.filter(({ instance }) => killed.includes(instance)).length
          expect(tally(outcomes)).toEqual({
            'killed 404 404 404 404': gone,
            'there 202 202 409 200': sessions.length - gone,
          })
          const fresh = await forEach(20, AT_ONCE, reserve)
          for (const session of fresh) expect(killed).not.toContain(session.instance)
        }
        await instances.produce({ id: 'c', region: 'ASIA' })
        const alive = sessions.filter(({ instance }) => instance === third)
        await until('those of the third have it', () => alive.every(({ orders }) => orders.includes('first c')))
        const statuses = tally(front.accessLog().map(({ status }) => status))
        expect(Object.keys(statuses).filter((status) => Number(status) >= 500)).toEqual([])
        console.log(`two of three killed: ${JSON.stringify(statuses)}`)
      })
    },
    { ownBroker: true },
  )
})

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, each) => all + each, 0)
