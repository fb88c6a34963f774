import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { requestBytes } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const CYCLES = 2_000
const AT_ONCE = 20
/** The heap breathes a little: caches that fill once, code that is compiled lazily. */
const HEAP_SLACK = 1.05

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

function heapAfterCollection(): number {
  for (let round = 0; round < 5; round++) collect()
  return process.memoryUsage().heapUsed
}

/** A stream that has its first block. The test keeps nothing of it: that is what it is to see of the gateway. */
async function subscribe(url: string, query: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const accept = 'text/event-stream'
  socket.write(requestBytes(url, { method: 'POST', headers: { accept }, body: { query } }))
  await once(socket, 'data')
  return socket
}

async function close(socket: Socket): Promise<void> {
  socket.destroy()
  await once(socket, 'close')
}

/** Timers, sockets and the like that keep this process busy, by kind. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

test('two thousand streams over changing operations leave nothing behind', async () => {
  const gateway = await startTestGateway({ env: { WINDOW_BYTES: '1000000' } })

  const cycle = async (first: number, count: number): Promise<void> => {
    for (let i = first; i < first + count; i += AT_ONCE) {
      const streams = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, k) => {
          const alias = `a${(i + k) % 500}x${k % 7}`
          return subscribe(gateway.graphql, `subscription { ordersByRegion(region: EUROPE) { ${alias}: id city } }`)
        }),
      )
      const told = streams.map((stream) => once(stream, 'data'))
      await gateway.produce({}, { region: 'ASIA' })
      await Promise.all(told)
      await Promise.all(streams.map(close))
    }
    // Groups linger for some seconds.
    await until('the gateway has let go of the groups', () => gateway.engine.groups === 0)
  }

  // Once through everything, so that caches are full and code is compiled.
  await cycle(0, 600)
  const heap = heapAfterCollection()
  const before = resources()

  await cycle(600, CYCLES)
  const growth = heapAfterCollection() / heap
  console.log(`heap after ${CYCLES} streams: ${growth.toFixed(3)} of ${(heap / 1024 / 1024).toFixed(1)} MiB`)
  expect(gateway.engine.groups).toBe(0)
  expect(gateway.engine.shared.budget.used).toBe(0)
  expect(resources()).toEqual(before)
  expect(growth).toBeLessThan(HEAP_SLACK)
})

test('ten thousand distinct operations of one client do not pile up', async () => {
  const gateway = await startTestGateway()
  const ask = async (i: number): Promise<void> => {
    const query = `subscription { ordersByRegion(region: EUROPE) { a${i}: id b${i}: city c${i}: country } }`
    await close(await subscribe(gateway.graphql, query))
  }
  const askAll = async (first: number, count: number): Promise<void> => {
    for (let i = first; i < first + count; i += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => ask(i + k)))
    }
    // Groups linger for some seconds.
    await until('the gateway has let go of the groups', () => gateway.engine.groups === 0)
  }
  // Enough to fill the cache of documents, which is bounded by what they take.
  await askAll(0, 5_000)
  const heap = heapAfterCollection()
  await askAll(5_000, 5_000)
  const growth = heapAfterCollection() / heap
  console.log(`heap after 5,000 more operations: ${growth.toFixed(3)} of ${(heap / 1024 / 1024).toFixed(1)} MiB`)
  expect(gateway.engine.groups).toBe(0)
  expect(growth).toBeLessThan(1.15)
})
