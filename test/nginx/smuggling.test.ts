import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx } from '../kit/nginx.ts'
import { Statistics } from '../kit/statistics.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from '../transport/probe-schema.ts'
import { askHttp2, HTTP2_QUERY, HTTP2_SHAPES, type Http2Shape } from './smuggling-http2.ts'
import { HARMLESS, SHAPES } from './smuggling-shapes.ts'

const NAMES = Object.keys(SHAPES)

/** A gateway that counts the requests which reach it, and the mutations that it runs. */
async function startCounting() {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const port = Number(new URL(gateway.url).port)
  /** By the client's port. */
  const requestsBy = new Map<number, number>()
  const count = (message: unknown) => {
    const { socket } = message as { socket: Socket }
    const { localPort, remotePort = 0 } = socket
    if (localPort === port) requestsBy.set(remotePort, (requestsBy.get(remotePort) ?? 0) + 1)
  }
  subscribe('http.server.request.start', count)
  onTestFinished(() => void unsubscribe('http.server.request.start', count))
  const requests = (): number => requestsBy.values().reduce((sum, each) => sum + each, 0)
  return { gateway, probe, port, requestsBy, requests }
}

/** All that comes back until the connection is closed, or until the server waits for more. */
async function exchange(socket: Socket, bytes: string): Promise<string> {
  let received = ''
  let isClosed = false
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
  socket
    .on('error', () => {})
    .on('close', () => {
      isClosed = true
    })
  onTestFinished(() => void socket.destroy())
  socket.write(Buffer.from(bytes, 'latin1'))
  // A head that asks for more than came is not to get it.
  await until('an answer came', () => isClosed || received.includes('\r\n\r\n'))
  socket.end()
  await until('the connection is closed', () => isClosed)
  return received
}

/** "100 Continue" is none. */
const answersIn = (received: string): string[] => received.match(/HTTP\/1\.[01] [2-5]\d\d/g) ?? []

describe('a gateway by itself', () => {
  /** All at once: a refused client is given a moment to read the answer. */
  test('takes no shape of smuggling for two requests', async () => {
    const { probe, port, requestsBy } = await startCounting()
    const all = NAMES.map(async (name) => {
      const socket = connectPlain({ port, host: '127.0.0.1' })
      await once(socket, 'connect')
      const { localPort = 0 } = socket
      const answers = answersIn(await exchange(socket, SHAPES[name] ?? ''))
      return { name, isOne: (requestsBy.get(localPort) ?? 0) <= 1 && answers.length <= 1 }
    })
    expect((await Promise.all(all)).filter(({ isOne }) => !isOne)).toEqual([])
    expect(probe.shouts).toBe(0)
  })

  test.each(Object.keys(HARMLESS))('answers %s', async (name) => {
    const { port } = await startCounting()
    const socket = connectPlain({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    expect(await exchange(socket, HARMLESS[name] ?? '')).toContain('{"data":{"hello":"world"}}')
  })
})

describeNginx('through Nginx', (nginx) => {
  test('no shape of smuggling becomes two requests', async () => {
    const statistics = new Statistics('shapes', ['refused by Nginx', 'refused by the gateway', 'one request'])
    const { gateway, probe, requests } = await startCounting()
    const front = await nginx.start({ instances: [{ name: 'one', address: addressOf(gateway.url) }] })
    const port = Number(new URL(front.origin).port)
    const send = async (bytes: string): Promise<string> => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
      await once(socket, 'secureConnect')
      return await exchange(socket, bytes)
    }
    for (const name of NAMES) {
      const before = requests()
      const received = await send(SHAPES[name] ?? '')
      const reached = requests() - before
      const [answer = '', ...more] = answersIn(received)
      expect([name, probe.shouts, more]).toEqual([name, 0, []])
      expect(reached, name).toBeLessThanOrEqual(1)
      const isRefused = !answer.endsWith('200')
      statistics.count(reached === 0 ? 'refused by Nginx' : isRefused ? 'refused by the gateway' : 'one request')
    }
    for (const [name, bytes] of Object.entries(HARMLESS)) {
      expect([name, await send(bytes)]).toEqual([name, expect.stringContaining('{"data":{"hello":"world"}}')])
    }
    statistics.report()
  })

  test('no shape of HTTP/2 becomes two requests of HTTP/1.1', async () => {
    // Newer ones answer all of them by themselves; 1.22 refuses some, and passes some on.
    const statistics = new Statistics('shapes of HTTP/2', ['answered, by Nginx'])
    const { gateway, probe, requests } = await startCounting()
    const front = await nginx.start({ instances: [{ name: 'one', address: addressOf(gateway.url) }] })
    const port = Number(new URL(front.origin).port)
    const ask = async (shape: Http2Shape): Promise<string> => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
      onTestFinished(() => void socket.destroy())
      await once(socket, 'secureConnect')
      return await askHttp2(socket, shape)
    }
    for (const [name, shape] of Object.entries(HTTP2_SHAPES)) {
      const before = requests()
      const outcome = await ask(shape)
      const reached = requests() - before
      expect([name, probe.shouts, reached > 1]).toEqual([name, 0, false])
      statistics.count(outcome === 'refused' ? outcome : `answered, by ${reached === 0 ? 'Nginx' : 'the gateway'}`)
    }
    const before = requests()
    expect([await ask(HTTP2_QUERY), requests() - before]).toEqual(['answered', 1])
    expect(probe.shouts).toBe(0)
    statistics.report()
  })
})
