import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { readConfig } from '../../src/config.ts'
import { startGateway } from '../../src/gateway.ts'
import { ordersGateway } from '../../src/orders-gateway.ts'
import { untilFitToListen } from '../../src/server/first-listen.ts'
import type { Readiness } from '../../src/streams/streams.ts'
import { silentLog } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'

const LIMIT_MS = 10_000
const isRefused = (url: string) =>
  fetch(url).then(
    () => false,
    ({ cause }: { cause?: { code?: string } }) => cause?.code === 'ECONNREFUSED',
  )

describe('a gateway that has just been started', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function waiting(readiness: () => Readiness) {
    const wait = { isOver: false }
    void untilFitToListen(readiness, LIMIT_MS).then(() => {
      wait.isOver = true
    })
    return wait
  }

  test('lets clients in as soon as it is ready', async () => {
    let state: Readiness = { ready: false, reason: 'Kafka has not answered yet' }
    const wait = waiting(() => state)
    await vi.advanceTimersByTimeAsync(LIMIT_MS / 2)
    expect(wait.isOver).toBe(false)
    state = { ready: true }
    await vi.advanceTimersByTimeAsync(100)
    expect(wait.isOver).toBe(true)
  })

  test('lets them in without Kafka after a while, to tell them why they must wait', async () => {
    const wait = waiting(() => ({ ready: false, reason: 'Kafka cannot be reached' }))
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 100)
    expect(wait.isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(wait.isOver).toBe(true)
  })

  test('takes the time that its windows need, and no longer where Kafka goes away meanwhile', async () => {
    let state: Readiness = { ready: false, reason: 'Filling the window', isFilling: true }
    const wait = waiting(() => state)
    await vi.advanceTimersByTimeAsync(10 * LIMIT_MS)
    expect(wait.isOver).toBe(false)
    state = { ready: false, reason: 'Kafka cannot be reached' }
    await vi.advanceTimersByTimeAsync(LIMIT_MS - 100)
    expect(wait.isOver).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(wait.isOver).toBe(true)
  })
})

const readyz = (adminPort: number) =>
  fetch(`http://127.0.0.1:${adminPort}/readyz`).then(
    ({ status }) => status,
    () => 0,
  )

test('until then its port refuses, so that a proxy asks another one, while the admin port says why', async () => {
  const [port, adminPort, nobody] = (await freePorts(3)) as [number, number, number]
  const env = { PORT: String(port), ADMIN_PORT: String(adminPort), KAFKA_BROKERS: `127.0.0.1:${nobody}` }
  const starting = startGateway({ ...ordersGateway, config: readConfig(env), log: silentLog, listenWithinMs: 2_000 })
  onTestFinished(async () => (await starting).close())
  await until('the admin port answers', async () => (await readyz(adminPort)) === 503)
  expect(await isRefused(`http://127.0.0.1:${port}/graphql`)).toBe(true)
  const { url } = await starting
  expect(await isRefused(`${url}/graphql`)).toBe(false)
})

test('a port that is taken is told at once, and not after the wait', async () => {
  const [adminPort, otherAdminPort, nobody] = (await freePorts(3)) as [number, number, number]
  const env = { PORT: '0', ADMIN_PORT: String(adminPort), DEMO_RATE: '0' }
  const other = await startGateway({ ...ordersGateway, config: readConfig(env), log: silentLog })
  onTestFinished(() => other.close())
  const config = readConfig({
    PORT: new URL(other.url).port,
    ADMIN_PORT: String(otherAdminPort),
    KAFKA_BROKERS: `127.0.0.1:${nobody}`,
  })
  const began = performance.now()
  await expect(startGateway({ ...ordersGateway, config, log: silentLog, listenWithinMs: 60_000 })).rejects.toThrow(
    /listens at .* already/,
  )
  expect(performance.now() - began).toBeLessThan(30_000)
})

test('SIGTERM ends it at once, with 0, while it waits: it has no clients', async () => {
  const [adminPort, nobody] = (await freePorts(2)) as [number, number]
  const kafka = { KAFKA_BROKERS: `127.0.0.1:${nobody}`, LOG_LEVEL: 'fatal' }
  const env = { PATH: process.env.PATH, PORT: '0', ADMIN_PORT: String(adminPort), ...kafka }
  const child = spawn(process.execPath, ['src/main.ts'], { env, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await until('the admin port answers', async () => (await readyz(adminPort)) === 503)
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
})
