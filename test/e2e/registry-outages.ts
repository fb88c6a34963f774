import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import avsc from 'avsc'
import { expect, onTestFinished } from 'vitest'
import { z } from 'zod'
import { createBuilder, defineTopic, registryCodec, schemaRegistry } from '../../src/index.ts'
import { framed } from '../kit/fake-registry.ts'
import { startTestGateway } from '../kit/gateway.ts'
import type { TestKafka } from '../kit/kafka.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'
import type { TestRegistry } from '../kit/registry.ts'
import { until } from '../kit/until.ts'

/** A question to the registry is given up sooner than by default: a slow one is slow for a test, too. */
const TIMEOUT_MS = 1_500
const PARTITIONS = 2

/** What is between the gateway and its registry: it passes questions on, or does something else with them. */
export type Trouble = 'none' | 'refused' | 'silent' | 'nonsense' | 'error'

async function proxyOf(target: string) {
  let trouble: Trouble = 'none'
  let server: Server
  const listen = (port: number) =>
    new Promise<Server>((resolve) => {
      const made = createServer(async (request, response) => {
        if (trouble === 'silent') return
        if (trouble === 'nonsense') return void response.end('<html>Welcome!</html>')
        if (trouble === 'error') return void response.writeHead(503).end('no healthy upstream')
        try {
          const answer = await fetch(`${target}${request.url}`)
          response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
        } catch {
          request.socket.destroy() // as the registry behind it does
        }
      }).listen(port, '127.0.0.1', () => resolve(made))
    })
  server = await listen(0)
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    url: `http://127.0.0.1:${port}`,
    async become(next: Trouble) {
      if (trouble === 'refused' && next !== 'refused') server = await listen(port)
      if (trouble !== 'refused' && next === 'refused') await close()
      trouble = next
      if (next !== 'refused') server.closeIdleConnections()
    },
    close: () => (trouble === 'refused' ? Promise.resolve() : close()),
  }
}

export interface World {
  readonly kafka: TestKafka
  readonly registry: TestRegistry
}

/** A gateway with a topic of a registry behind a proxy, and one without, a stream of each open. */
export async function registryWorld({ kafka, registry }: World) {
  const proxy = await proxyOf(registry.url)
  onTestFinished(() => proxy.close())
  const [name, calmName] = [await kafka.createTopic(PARTITIONS, { label: 'payments' }), await kafka.createTopic(1)]
  const subject = `${name}-value`
  const codec = registryCodec(schemaRegistry({ url: proxy.url, timeoutMs: TIMEOUT_MS }))
  const payments = defineTopic(name, { schema: z.object({ n: z.int(), version: z.int() }), codec })
  const calm = defineTopic(calmName, { schema: z.object({ n: z.int() }) })
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({
    schema: schemaOf(payments, calm),
    topics: [payments, calm],
    env: { KAFKA_BROKERS: kafka.brokers, HEARTBEAT_MS: '1000' },
    log,
  })
  await until('the gateway is ready', () => gateway.streams.readiness().ready)
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { payment { n version } }')
  const calmStream = await RawStream.subscribe(gateway.graphql, 'subscription { calm { n } }')
  const begun = lines.length
  let produced = 0
  let calmly = 0
  const sent: number[] = []
  const received = () => stream.results.map(({ data }) => (data as { payment: { n: number } }).payment.n)

  /** Registers a version, which has one more field than the one before. */
  const version = async (number: number) => {
    const more = Array.from({ length: number }, (_, index) => ({ name: `f${index}`, type: 'int', default: index }))
    const fields = [{ name: 'n', type: 'int' }, { name: 'version', type: 'int' }, ...more]
    const schema = { type: 'record', name: 'Payment', fields }
    const type = avsc.Type.forSchema(schema as avsc.Schema)
    const id = await registry.register(subject, { schema })
    return {
      id,
      async produce(partition: number) {
        const n = produced++
        sent.push(n)
        const value = framed(
          id,
          type.toBuffer({ n, version: number, ...Object.fromEntries(more.map(({ name }) => [name, n])) }),
        )
        await kafka.produce(name, [{ key: String(n), value, partition }])
        return n
      },
    }
  }
  const calmGoesOn = async () => {
    await kafka.produce(calmName, [{ value: JSON.stringify({ n: calmly++ }) }])
    await until('the other topic is delivered', () => calmStream.results.length === calmly)
  }
  /** Of the topic, and of Kafka: a partition that is held for long is no broker that does not answer. */
  const notReading = () => lines.slice(begun).filter(({ msg, topic }) => msg === 'Not reading' && topic === name)
  return {
    notReading,
    proxy,
    gateway,
    lines,
    stream,
    calmStream,
    name,
    calmName,
    sent,
    received,
    version,
    calmGoesOn,
    readyz: () => fetch(`${gateway.adminUrl}/readyz`),
  }
}

type WorldOf = Awaited<ReturnType<typeof registryWorld>>

/**
 * While `during` holds, a record of a new version arrives: its partition alone is held, by name, and after `heal` it is
 * delivered, with all that came after it.
 */
export async function holdsOnlyItsTopic(
  world: WorldOf,
  number: number,
  { during, heal, sentence }: { during: () => Promise<void>; heal: () => Promise<void>; sentence: RegExp },
): Promise<void> {
  const known = await world.version(number - 1)
  await world.version(number)
  await known.produce(0)
  await until('the known version is delivered', () => world.received().length === world.sent.length)
  const fresh = await world.version(number)
  await during()
  const held = await fresh.produce(0)
  const heldToo = await known.produce(0)
  const other = await known.produce(1)
  await until('the other partition is delivered', () => world.received().includes(other))
  await world.calmGoesOn()
  let ready = ''
  await until('/readyz names the topic', async () => {
    ready = await (await world.readyz()).text()
    return sentence.test(ready)
  })
  expect(ready).toContain(`"${world.name}"`)
  expect(ready).not.toContain(world.calmName)
  expect((await world.readyz()).status).toBe(200)
  const blocks = world.stream.blocks.length
  await until('the stream has a heartbeat', () => world.stream.blocks.length > blocks)
  // New streams are served as well.
  const later = await RawStream.subscribe(world.gateway.graphql, 'subscription { payment { n } }')
  expect(later.status).toBe(200)
  await later.close()
  expect(world.received()).not.toContain(held)
  expect(world.stream.ended || world.calmStream.ended).toBe(false)
  await heal()
  await until('what was held is delivered', () => world.received().includes(heldToo), 40_000)
  expect(world.received()).toContain(held)
  expect(world.received().indexOf(held)).toBeLessThan(world.received().indexOf(heldToo))
  await until('/readyz has nothing to say', async () => !(await (await world.readyz()).text()).includes('held'))
  expect(world.received().toSorted((a, b) => a - b)).toEqual(world.sent)
  expect(world.notReading()).toEqual([])
}

const SENTENCES: Readonly<Record<Exclude<Trouble, 'none'>, RegExp>> = {
  refused: /is held: The schema registry 127\.0\.0\.1:\d+ does not answer \(ECONNREFUSED\)/,
  silent: /is held: The schema registry .* does not answer \(within 1\.5 s\)/,
  nonsense: /is held: The schema registry .* answers with what is not a registry's JSON/,
  error: /is held: The schema registry .* answers with status 503/,
}

/** One trouble after the other, each with a version that the gateway does not know. */
export async function survivesTroubles(given: World, troubles: readonly (keyof typeof SENTENCES)[]): Promise<void> {
  const world = await registryWorld(given)
  const { proxy } = world
  for (const [index, trouble] of troubles.entries()) {
    await holdsOnlyItsTopic(world, index + 1, {
      during: () => proxy.become(trouble),
      heal: () => proxy.become('none'),
      sentence: SENTENCES[trouble],
    })
  }
  const warnings = world.lines.filter(({ msg }) => msg === 'Records are held until they can be decoded')
  expect(new Set(warnings.map(({ topic }) => topic))).toEqual(new Set([world.name]))
}

// biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
function schemaOf(payments: any, calm: any) {
  const builder = createBuilder()
  builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
  const Payment = builder.objectRef<{ n: number; version: number }>('Payment').implement({
    fields: (t) => ({ n: t.exposeInt('n'), version: t.exposeInt('version') }),
  })
  const Calm = builder.objectRef<{ n: number }>('Calm').implement({ fields: (t) => ({ n: t.exposeInt('n') }) })
  builder.subscriptionType({
    fields: (t) => ({
      payment: t.stream({ topic: payments, type: Payment }),
      calm: t.stream({ topic: calm, type: Calm }),
    }),
  })
  return builder.toSchema()
}
