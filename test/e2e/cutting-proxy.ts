import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { createRandom } from '../../src/demo/random.ts'

/** Bytes of an answer after which it is cut, at most: some cuts come before its first block, or its head, is whole. */
const MAX_BYTES = 4_000
/** The last bytes before a cut come at once, or a moment before it: a cut is seen with them, or alone. */
const LATE_CUT = 0.5
const LATE_MS = 3

export interface CuttingProxy {
  /** Of GraphQL, through the proxy. */
  readonly url: string
  /** Connections cut so far. */
  readonly cuts: () => number
  /** From now on connections are cut; at first they are not. */
  startCutting(): void
  /** From now on none is, and what is open stays so. */
  stopCutting(): void
}

/**
 * Passes connections on to a gateway, and cuts each after a random number of the bytes that come back, half of them in
 * good order and half by a reset. It also changes the wait that a stream begins with, `retry: 1234`, into as many digits
 * of a few milliseconds: for hundreds of cuts.
 * @param minBytes of an answer, that come in any case
 */
export async function startCuttingProxy(url: string, seed: number, minBytes = 0): Promise<CuttingProxy> {
  const { float: random } = createRandom(seed)
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let cuts = 0
  let isCutting = false

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    const [budget, isReset, isLate] = [minBytes + Math.ceil(random() * MAX_BYTES), random() < 0.5, random() < LATE_CUT]
    const end = () => {
      for (const socket of [client, upstream]) {
        socket.destroy()
        sockets.delete(socket)
      }
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      // A cut is an error to the other side: that is what it is for.
      socket.on('error', end).on('close', end)
    }
    client.pipe(upstream)
    let left = budget
    let isCut = false
    upstream.on('data', (bytes) => {
      if (isCut) return
      // Readable in a compressed stream too, whose first block is stored as it is.
      const changed = Buffer.from(bytes.toString('latin1').replace(/retry: \d+(?=\n)/g, shortened), 'latin1')
      if (!isCutting || changed.length < left) {
        if (isCutting) left -= changed.length
        client.write(changed)
        return
      }
      isCut = true
      cuts++
      client.write(changed.subarray(0, left), () => {
        if (!isLate) cut()
        else setTimeout(cut, LATE_MS)
      })
    })
    upstream.on('end', () => client.end())
    const cut = () => {
      if (isReset) client.resetAndDestroy()
      else client.end()
      upstream.destroy()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const own = new URL(url)
  own.port = String((server.address() as AddressInfo).port)
  return {
    url: own.href,
    cuts: () => cuts,
    startCutting() {
      isCutting = true
    },
    stopCutting() {
      isCutting = false
    },
  }
}

/** As long as before, so that no byte moves. */
function shortened(line: string): string {
  return `retry: ${'5'.padStart(line.length - 'retry: '.length, '0')}`
}
