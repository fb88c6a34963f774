import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createKafka } from '../../src/streams/source/kafka/kafka.ts'
import { OrderEvent } from '../../src/streams/topics/orders.ts'
import { describeKafka } from '../kit/kafka.ts'

const PRODUCE = new URL('../../src/demo/produce.ts', import.meta.url).pathname
/** Nothing listens there: the port is reserved. */
const NOBODY = '127.0.0.1:1'

function produce(...args: string[]): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  return spawn(process.execPath, [PRODUCE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function outcome(...args: string[]) {
  const child = produce(...args)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, code }
}

test('--help shows every option, and succeeds', async () => {
  const { stdout, code } = await outcome('--help')
  expect(code).toBe(0)
  for (const option of ['brokers', 'rate', 'count', 'topic', 'seed']) expect(stdout).toContain(`--${option}`)
})

test('a mistake is told in one line, and is status 2', async () => {
  expect(await outcome('--brokers', 'nowhere')).toEqual({
    stdout: '',
    stderr: '--brokers wants host:port, several separated by commas, not "nowhere" (--help shows all options)\n',
    code: 2,
  })
})

test.each([
  [[], 0],
  [['--count', '5'], 130],
] as const)('Ctrl-C while the cluster is away ends it with a summary: %j is status %d', async (more, status) => {
  const child = produce('--brokers', NOBODY, ...more)
  const ended = Promise.all([text(child.stdout), once(child, 'close')])
  const [complaint] = await once(createInterface(child.stderr), 'line')
  expect(complaint).toMatch(/ECONNREFUSED.*; trying again in 0\.1 s$/)
  child.kill('SIGINT')
  const [stdout, [code]] = await ended
  expect(stdout).toMatch(/^0 orders sent to orders in [\d.]+ s, 0 a second$/m)
  expect(code).toBe(status)
})

describeKafka('on a real broker', (kafka) => {
  test('as many orders are in the topic as were asked for, those of an order in one partition, in their order', async () => {
    const topic = await kafka.createTopic(6, { label: 'demo' })
    const args = ['--brokers', kafka.brokers, '--topic', topic, '--rate', '5000', '--count', '5000', '--seed', '9']
    const { stdout, code } = await outcome(...args)
    expect(stdout).toContain(`5,000 orders sent to ${topic} in `)
    expect(code).toBe(0)

    const history = new Map<string, string[]>()
    let read = 0
    const log = createKafka({ brokers: [kafka.brokers], clientId: 'test', log: () => {} })
    try {
      const from = new Map((await log.source.ranges(topic)).map(({ partition }) => [partition, 0]))
      const done = new AbortController()
      const reader = {
        onBatch: (batch: { partition: number; records: readonly { key: Buffer | null; value: Buffer | null }[] }) => {
          for (const { key, value } of batch.records) {
            const order = OrderEvent.parse(JSON.parse(String(value)))
            expect(String(key)).toBe(order.merchantId)
            const name = `${batch.partition}/${order.id}`
            history.set(name, [...(history.get(name) ?? []), order.status])
            read++
          }
          if (read >= 5_000) done.abort()
          return undefined
        },
        onGap: (gap: unknown) => expect.fail(JSON.stringify(gap)),
        onState: () => {},
      }
      await log.source.read(topic, from, reader, done.signal)
    } finally {
      await log.close()
    }

    expect(read).toBe(5_000)
    const histories = new Set([...history.values()].map((statuses) => statuses.join(' ')))
    const possible = ['PLACED', 'PLACED PAID', 'PLACED PAID SHIPPED', 'PLACED CANCELLED', 'PLACED PAID CANCELLED']
    expect([...histories].filter((one) => !possible.includes(one))).toEqual([])
  })
})
