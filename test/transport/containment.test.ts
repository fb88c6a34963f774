import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Admitted } from '../../src/admission/admission.ts'
import { Control } from '../../src/admission/control/control.ts'
import type { OutletListener } from '../../src/delivery/outlet.ts'
import type { Prepared } from '../../src/delivery/prepared.ts'
import { Faults } from '../../src/errors/faults.ts'
import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { COMMENT_BLOCK } from '../../src/protocol/event-stream.ts'
import { streamMedia } from '../../src/protocol/stream-media.ts'
import { DistinctConnections } from '../../src/transport/distinct.ts'
import { Units } from '../../src/transport/gzip/units.ts'
import type { Operations } from '../../src/transport/operations.ts'
import { Refusals } from '../../src/transport/refusals.ts'
import type { StreamSocket } from '../../src/transport/stream-socket.ts'
import { StreamSockets } from '../../src/transport/stream-sockets.ts'
import { anOwner } from '../kit/admission.ts'
import { silentLog } from '../kit/log-lines.ts'
import { expectNothingUncaught } from '../kit/uncaught.ts'
import { until } from '../kit/until.ts'

expectNothingUncaught()

const broken = (): never => {
  throw new Error('Broken')
}
const ALL_BROKEN: OutletListener = { drained: broken, gone: broken, end: broken }

/** A server that opens a stream for each request, whose member throws whatever it is told. */
async function startStreams() {
  const faults = new Faults(silentLog)
  const sockets = new StreamSockets({ faults })
  const server = createServer((_request, response) => {
    const begin = (stream: StreamSocket): void => {
      stream.attach(ALL_BROKEN)
      // More than the kernel takes, so that it drains once it is read.
      stream.write(Buffer.alloc(16 * 1024 * 1024))
    }
    sockets.open(response, anOwner(), begin, { transport: 'distinct' })
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

describe('what is thrown once the head of a stream has been sent ends that stream, and is told once', () => {
  const start = (stream: Prepared['start'], end: () => void = () => {}) =>
    ({ start: stream, [Symbol.dispose]: end }) satisfies Prepared
  test.each([
    ['by whoever is told of the socket', start(() => {}), { onOpen: broken }],
    ['before its first block', start(broken), {}],
    [
      'after it',
      start((outlet) => {
        outlet.write(COMMENT_BLOCK)
        broken()
      }),
      {},
    ],
    [
      'behind its listener',
      start((outlet) => {
        outlet.attach({ drained: () => {}, gone: () => {}, end: () => {} })
        broken()
      }),
      {},
    ],
  ] as const)('%s', async (_when, prepared, { onOpen }: { onOpen?: () => never }) => {
    const faults = new Faults(silentLog)
    const sockets = new StreamSockets({ faults, ...(onOpen && { onOpen }) })
    const refusals = new Refusals({
      sockets,
      readiness: () => ({ ready: true }),
      readinessOf: () => ({ ready: true }),
      control: new Control(),
      isLeaving: () => false,
    })
    const operations = { prepare: () => Promise.resolve({ prepared, hasCursors: false }) } as unknown as Operations
    const distinct = new DistinctConnections({ operations, sockets, refusals, units: new Units() })
    const failures: unknown[] = []
    const server = createServer((request, response) => {
      const media = streamMedia(request, 'text/event-stream')
      const operation = { operation: 'subscription' }
      const admitted = { operation, owner: anOwner() } as unknown as Admitted
      const served = distinct.serve(response, media, admitted, new ResolverErrors(silentLog))
      served.catch((error: unknown) => failures.push(error))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'close')
    await until('it is gone', () => sockets.size === 0)
    expect([failures, faults.counts]).toEqual([[], { stream: 1 }])
  })
})
