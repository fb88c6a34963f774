import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Ports below the range that Linux gives to outgoing connections (32768 and up): while a broker is down, nothing else
 * comes to sit on its port, and no client that tries it again and again connects to itself.
 */
const LOWEST_PORT = 20_000
const HIGHEST_PORT = 32_000
/** A process takes every so many-th of them, another one others: two that ask at once are not to be told the same. */
const PORT_STEP = 97
const PROBE_TIMEOUT_MS = 1000
const FREE_TIMEOUT_MS = 10_000
const FREE_PROBE_EVERY_MS = 50

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

/** Waits, for a time, until nobody has the port. */
export async function untilFree(port: number): Promise<void> {
  const deadline = Date.now() + FREE_TIMEOUT_MS
  while (!(await isFree(port)) && Date.now() < deadline) await delay(FREE_PROBE_EVERY_MS)
}

/** Whether somebody accepts connections on it. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end(false))
    socket.on('error', () => end(false))
    socket.on('connect', () => end(true))
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
export async function answers(port: number): Promise<boolean> {
  return (await memberPorts(port)).includes(port)
}

/** Where the brokers of the cluster are, by the metadata of the one at this port; empty, if it does not answer. */
export function memberPorts(port: number): Promise<readonly number[]> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let received = Buffer.alloc(0)
    const end = (ports: readonly number[]) => {
      socket.destroy()
      resolve(ports)
    }
    socket.setTimeout(PROBE_TIMEOUT_MS, () => end([]))
    socket.on('error', () => end([]))
    socket.on('close', () => end([]))
    socket.on('connect', () => socket.write(METADATA_REQUEST))
    socket.on('data', (data) => {
      received = Buffer.concat([received, data])
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) end(portsIn(received))
    })
  })
}

/** The ports of all brokers in a response of version 4: size, correlation id, throttle time, and the brokers. */
function portsIn(response: Buffer): number[] {
  const ports: number[] = []
  let at = 16
  for (let left = response.readInt32BE(12); left > 0; left--) {
    at += 4 // the broker's id
    at += 2 + response.readInt16BE(at) // its host
    ports.push(response.readInt32BE(at))
    at += 4
    at += 2 + Math.max(0, response.readInt16BE(at)) // its rack, or -1
  }
  return ports
}
