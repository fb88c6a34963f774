import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Something at the address of a broker that is none, or not an honest one. */
export interface BadBroker {
  /** `127.0.0.1:PORT` */
  readonly address: string
  readonly port: number
  /** Connections that were ever made to it. */
  readonly connections: number
  /** Bytes that came to it. */
  readonly received: number
  close(): Promise<void>
}

/** Accepts connections, takes what comes, and never answers. */
export function silentServer(): Promise<BadBroker> {
  return serve(() => {})
}

/**
 * Passes on to a real broker and back, but says of every broker of the cluster that it is at another port, for example
 * that of a `silentServer`, or one where nobody listens. So a client can connect to it, and to nobody that it names.
 * @param cluster the plaintext addresses of all brokers; what comes is passed on to the first of them
 */
export function lyingServer(cluster: readonly string[], portOfAll: number): Promise<BadBroker> {
  const ports = cluster.map(portOf)
  return serve((client) => {
    const broker = connect(ports[0] as number, '127.0.0.1')
    const asked = new Set<number>()
    onMessages(client, (request) => {
      // Size, API key, version, correlation id.
      if (request.readInt16BE(4) === METADATA) asked.add(request.readInt32BE(8))
      broker.write(request)
    })
    onMessages(broker, (response) => {
      if (asked.delete(response.readInt32BE(4))) moveAll(response, ports, portOfAll)
      client.write(response)
    })
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      one.on('close', () => other.destroy()).on('error', () => other.destroy())
    }
  })
}

/** The API key of a request for metadata. */
const METADATA = 3
const HOST = Buffer.from('127.0.0.1')

export const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1))

/** In every version of the response a broker's port, of 4 bytes, follows its host. */
function moveAll(response: Buffer, ports: readonly number[], to: number): void {
  for (let at = response.indexOf(HOST); at >= 0; at = response.indexOf(HOST, at + 1)) {
    const portAt = at + HOST.length
    if (portAt + 4 <= response.length && ports.includes(response.readInt32BE(portAt))) response.writeInt32BE(to, portAt)
  }
}

/** Gives each of Kafka's messages, size included, once the whole of it has come. */
function onMessages(socket: Socket, take: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const size = 4 + rest.readInt32BE(0)
      take(rest.subarray(0, size))
      rest = rest.subarray(size)
    }
  })
}

async function serve(accept: (socket: Socket) => void): Promise<BadBroker> {
  const sockets = new Set<Socket>()
  let [connections, received] = [0, 0]
  const server: Server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    socket.on('data', (data) => {
      received += data.length
    })
    accept(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    port,
    get connections() {
      return connections
    },
    get received() {
      return received
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
