import type { Server } from 'node:http'
import type { Logger } from 'pino'
import type { Engine } from './delivery/engine.ts'
import type { Connections } from './server/connections.ts'
import { stopListening } from './server/listen.ts'
import type { Operations } from './transport/operations.ts'
import type { SingleConnections } from './transport/single/connections.ts'
import type { StreamSockets } from './transport/stream-sockets.ts'

export interface ShutdownOptions {
  readonly server: Server
  readonly connections: Connections
  readonly single: SingleConnections
  readonly sockets: StreamSockets
  readonly engine: Engine
  readonly operations: Operations
  /** What is closed when nobody is served any more, in this order. */
  readonly resources: readonly { close(): void | Promise<void> }[]
  readonly admin: Server
  readonly adminConnections: Connections
  readonly log: Logger
}

/**
 * Graceful shutdown: no new connections, requests under way answered, open streams ended over `drainMs` milliseconds,
 * then what they used. The admin port is the last to go: until then it says that the gateway is not ready, and counts.
 */
export async function shutDown(options: ShutdownOptions, drainMs: number): Promise<void> {
  const { server, connections, single, sockets, engine, operations, resources, admin, adminConnections, log } = options
  const begin = performance.now()
  connections.leave()
  const { closed } = await stopListening(server)
  await connections.settled()
  const open = sockets.size
  if (open > 0) log.info({ streams: open, drainMs }, 'Draining')
  single.close()
  await sockets.drain(drainMs)
  engine.close()
  operations.close()
  await connections.empty()
  await closed
  const ms = Math.round(performance.now() - begin)
  if (open > 0) log.info({ streams: open, cut: sockets.stats.cut, ms }, 'Drained')
  for (const resource of resources) await resource.close()
  adminConnections.leave()
  const stopped = await stopListening(admin)
  await adminConnections.empty()
  await stopped.closed
}
