import { expect, test } from 'vitest'
import { createKafka } from '../../src/streams/source/kafka/kafka.ts'
import { anOrder, silentLog, startTestGateway } from '../kit/gateway.ts'
import { describeKafka } from '../kit/kafka.ts'
import { folderOf, GATEWAY, sluice } from './sluice.ts'

const line = (value: unknown) => `${JSON.stringify(value)}\n`

test('events go into the embedded log of a running gateway; lines that are none are named, and the others go on', async () => {
  const { adminUrl, streams } = await startTestGateway()
  const input = [line(anOrder({ id: 'a' })), 'x\n', '\n', line({ id: 1 }), line(anOrder({ id: 'b' }))].join('')
  const { code, out, err } = await sluice(['produce', 'orders', '--url', adminUrl], { input })
  expect({ code, out }).toEqual({ code: 1, out: '2 records sent to orders, 2 lines refused\n' })
  expect(err).toMatch(/^Line 2 is refused\. It is not JSON\nLine 4 is refused\. The schema refuses it: /)
  const [feed] = streams.feeds
  expect(feed?.events).toBe(2)
})

test('with --records a line has the key, headers, time and partition of its record, and null is a tombstone', async () => {
  const { adminUrl, embedded } = await startTestGateway()
  const record = { key: 'k', value: anOrder(), headers: { a: 'b' }, timestamp: 1_700_000_000_000, partition: 4 }
  const input = line(record) + line({ ...record, value: null }) + line({ ...record, offset: 3 })
  const { code, err } = await sluice(['produce', 'orders', '--records', '--url', adminUrl], { input })
  expect(code).toBe(1)
  expect(err).toContain('Line 3 is refused. It is no record')
  const fetched = await embedded.source.fetch('orders', 4, 0, 10_000, new AbortController().signal)
  expect(fetched).toMatchObject({
    records: [
      { key: Buffer.from('k'), timestamp: 1_700_000_000_000, headers: { a: 'b' } },
      { key: Buffer.from('k'), value: null },
    ],
  })
})

test('a long input goes out in parts, and its lines keep their numbers', async () => {
  const { adminUrl, streams } = await startTestGateway()
  const input = Array.from({ length: 3_000 }, (_, at) => (at === 2_500 ? 'x\n' : line(anOrder()))).join('')
  const { out, err } = await sluice(['produce', 'orders', '--url', adminUrl], { input })
  expect(out).toBe('2999 records sent to orders, 1 lines refused\n')
  expect(err).toBe('Line 2501 is refused. It is not JSON\n')
  expect([...streams.feeds][0]?.events).toBe(2_999)
})

test('the admin port takes events by POST only, from no web page, and for topics that it has', async () => {
  const { adminUrl } = await startTestGateway()
  const post = async (query: string, init: RequestInit = {}) => {
    const answer = await fetch(`${adminUrl}/produce${query}`, { method: 'POST', body: line(anOrder()), ...init })
    return [answer.status, await answer.text()]
  }
  expect(await post('?topic=orders')).toEqual([200, line({ sent: 1, refused: 0, reasons: [] })])
  expect(await post('?topic=none')).toEqual([
    404,
    '"topic" names one of this gateway\'s topics: orders, region-sales\n',
  ])
  expect(await post('')).toMatchObject([404, expect.anything()])
  expect(await post('?topic=orders', { headers: { origin: 'http://a' } })).toMatchObject([403, expect.anything()])
  expect(await post('?topic=orders', { method: 'PUT' })).toMatchObject([405, expect.anything()])
})

test('nobody at the address is a sentence', async () => {
  const { adminUrl, close } = await startTestGateway()
  await close()
  const { code, err } = await sluice(['produce', 'orders', '--url', adminUrl], { input: line(anOrder()) })
  expect({ code, err }).toEqual({ code: 1, err: `No gateway answers at ${adminUrl} (ECONNREFUSED)\n` })
})

describeKafka('sluice produce and check, with a broker', (kafka) => {
  test('events go to Kafka, checked by the module where one is given', async () => {
    const topic = await kafka.createTopic(2)
    const cwd = folderOf({
      'gateway.ts': `import { createBuilder, defineGateway, defineTopic } from 'SRC/index.ts'
import { z } from 'SRC/../node_modules/zod/index.js'
const topic = defineTopic('${topic}', { schema: z.object({ id: z.string() }), key: 'id', index: ['id'] })
const builder = createBuilder()
builder.queryType({ fields: (t) => ({ one: t.int({ resolve: () => 1 }) }) })
builder.subscriptionType({ fields: (t) => ({ ids: t.stream({ topic, type: 'ID', resolve: ({ id }) => id }) }) })
export default defineGateway({ schema: builder.toSchema() })
`,
    })
    const input = line({ id: 'a' }) + line({ id: 2 })
    const args = ['produce', topic, '--brokers', kafka.brokers]
    const checked = await sluice([...args, '--module', 'gateway.ts'], { cwd, input })
    expect(checked).toMatchObject({ code: 1, out: `1 records sent to ${topic}, 1 lines refused\n` })
    const raw = await sluice([...args, '--key', 'id'], { cwd, input: `${input}no\n` })
    expect(raw).toMatchObject({ code: 1, out: `2 records sent to ${topic}, 1 lines refused\n` })

    const looked = await sluice(['check', '--connect'], { cwd, env: { KAFKA_BROKERS: kafka.brokers } })
    expect(looked.code).toBe(1)
    expect(looked.out).toContain(`ok       topic "${topic}": 2 partitions\n`)
    expect(looked.out).toContain(`PROBLEM  topic "${topic}": 2 of the 3 newest records are events (66.6 %)\n`)
    expect(looked.out).toMatch(/1 × schema: id: .* \(such as partition \d, offset \d\)/)
    expect(looked.out).not.toContain('"a"')
  })

  test('check names topics that are not there, and a cluster that does not answer, each by a line', async () => {
    const cwd = folderOf({ 'gateway.ts': GATEWAY })
    const missing = await sluice(['check', '--connect', '--json'], { cwd, env: { KAFKA_BROKERS: kafka.brokers } })
    expect(missing.code).toBe(1)
    const { findings } = JSON.parse(missing.out) as { findings: { kind: string; subject: string; text: string }[] }
    const problems = findings.filter(({ kind }) => kind === 'problem')
    expect(problems.map(({ subject }) => subject)).toContain('topic "orders"')
    const nobody = await sluice(['check', '--connect'], { cwd, env: { KAFKA_BROKERS: '127.0.0.1:1' } })
    expect(nobody.code).toBe(1)
    expect(nobody.out).toMatch(/PROBLEM {2}topic "orders": .*127\.0\.0\.1:1/)
  })

  test('what Kafka says of a topic has its settings and rights', async () => {
    const topic = await kafka.createTopic(3, {
      config: { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' },
    })
    const log = createKafka({
      brokers: [kafka.brokers],
      clientId: 'facts',
      log: (level, message) => silentLog[level](message),
    })
    try {
      expect(await log.describeTopic(topic)).toMatchObject({
        isThere: true,
        partitions: 3,
        mayRead: true,
        mayWrite: true,
        settings: { cleanupPolicy: 'compact', timestampType: 'LogAppendTime' },
      })
      expect(await log.describeTopic(`${topic}-none`)).toMatchObject({ isThere: false, partitions: 0 })
    } finally {
      await log.close()
    }
  })
})
