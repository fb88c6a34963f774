import { connect, createServer } from 'node:net'

/**
 * Ports below the range that Linux gives to outgoing connections (32768 and up): while a broker is down, nothing else
 * comes to sit on its port, and no client that tries it again and again connects to itself.
 */
const LOWEST_PORT = 20_000
const HIGHEST_PORT = 32_000
/** A process takes every so many-th of them, another one others: two that ask at once are not to be told the same. */
const PORT_STEP = 97
const PROBE_TIMEOUT_MS = 1000

/** That many different ports that nobody listens on at this moment. Somebody may before they are used: try again then. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  const steps = Math.floor((HIGHEST_PORT - LOWEST_PORT) / PORT_STEP)
  while (ports.length < count) {
    const port = LOWEST_PORT + (process.pid % PORT_STEP) + PORT_STEP * Math.floor(Math.random() * steps)
    if (!ports.includes(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/**
 * Metadata request, version 4, for no topics (KIP-896 keeps it in Kafka 4): size, api key 3, version, correlation id,
 * client id, an empty array, no automatic topic creation.
 */
const METADATA_REQUEST = Buffer.from('000000150003000400000001000673' + '6c75696365' + '0000000000', 'hex')

/**
 * Whether the broker answers and counts itself a member of its cluster: one that listens already but is still fenced
 * is not in its own metadata.
 */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let received = Buffer.alloc(0)
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.on('connect', () => socket.write(METADATA_REQUEST))
    socket.on('data', (data) => {
      received = Buffer.concat([received, data])
      // Size, correlation id, throttle time, and then how many brokers there are.
      if (received.length >= 16) end(received.readInt32BE(12) > 0)
    })
  })
}
