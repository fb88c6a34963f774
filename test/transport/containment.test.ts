import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { OutletListener } from '../../src/delivery/outlet.ts'
import { Faults } from '../../src/errors/faults.ts'
import { StreamSockets } from '../../src/transport/stream-sockets.ts'
import { silentLog } from '../kit/log-lines.ts'
import { until } from '../kit/until.ts'

// What nobody catches ends the process.
const uncaught: unknown[] = []
const keep = (error: unknown) => uncaught.push(error)
beforeEach(() => {
  uncaught.length = 0
  process.on('uncaughtException', keep)
  process.on('unhandledRejection', keep)
})
afterEach(() => {
  process.off('uncaughtException', keep)
  process.off('unhandledRejection', keep)
  expect(uncaught).toEqual([])
})

const broken = (): never => {
  throw new Error('Broken')
}
const ALL_BROKEN: OutletListener = { drained: broken, gone: broken, end: broken }

/** A server that opens a stream for each request, whose member throws whatever it is told. */
async function startStreams() {
  const faults = new Faults(silentLog)
  const sockets = new StreamSockets({ faults })
  const server = createServer((_request, response) => {
    const stream = sockets.open(response)
    stream?.attach(ALL_BROKEN)
    // More than the kernel takes, so that it drains once it is read.
    stream?.write(Buffer.alloc(16 * 1024 * 1024))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const client = async (): Promise<Socket> => {
    const { size } = sockets
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await until('its stream is open', () => sockets.size === size + 1)
    return socket
  }
  return { faults, sockets, client }
}

test('a stream whose member throws when its socket drains or closes ends alone', async () => {
  const { faults, sockets, client } = await startStreams()
  const [leaving, reading] = [await client(), await client()]
  await client()
  leaving.destroy()
  await until('the one that left is gone', () => sockets.size === 2)
  expect(faults.counts.stream).toBe(1)
  reading.resume()
  await until('the one that drained is gone', () => sockets.size === 1)
  // It drained, and closed.
  expect(faults.counts.stream).toBe(3)
})

test('streams whose members throw when they are to end do not keep a drain from its end', async () => {
  const { faults, sockets, client } = await startStreams()
  for (let count = 0; count < 3; count++) await client()
  await sockets.drain(0)
  expect(sockets.size).toBe(0)
  expect(faults.counts.stream).toBe(6)
})
