import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'

/**
 * Descriptors reserved for the process: Kafka's connections (several to each broker), listeners, the log, Node's own
 * (some 25), and files that are briefly open. At most an eighth of the limit, so that a small one suffices.
 */
const RESERVED = 512
const MIN_RESERVED = 64
/** Connections of the admin port: Prometheus, probes, and people. At most a sixteenth of the limit. */
const ADMIN = 64
const MIN_ADMIN = 4
/** As many as the accept backlog (`BACKLOG` in listen.ts), when all clients reconnect at once. */
const MAX_CONNECTIONS = 4_096
/** Minimum that streams leave to other connections; at most a quarter of what is available. */
const KEPT_FOR_CONNECTIONS = 512
/**
 * Part of the connections for one address: none can use up all, and an office behind one address can connect at once.
 */
const ADDRESS_PART = 1 / 2
const MIN_PER_ADDRESS = 8

export interface Wanted {
  readonly streams: number
  /** Limit of client connections apart from streams; absent: the remainder, up to 4,096. */
  readonly connections?: number | undefined
  /** Limit of one client address; absent: half of them. */
  readonly connectionsPerAddress?: number | undefined
}

/** Limit of each kind. With the reserved descriptors their sum is at most the process's limit. */
export interface Shares {
  readonly streams: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly admin: number
  readonly reserved: number
}

/**
 * Divides the descriptors of a process: reserved ones, the admin port, streams, and other client connections. Streams
 * have precedence, except for a minimum for other connections: each stream begins as one.
 */
export function shareOpenFiles(openFiles: number, wanted: Wanted): Shares {
  const reserved = between(MIN_RESERVED, Math.floor(openFiles / 8), RESERVED)
  const admin = between(MIN_ADMIN, Math.floor(openFiles / 16), ADMIN)
  const left = Math.max(2, openFiles - reserved - admin)
  const wantedConnections = wanted.connections ?? MAX_CONNECTIONS
  const kept = Math.max(1, Math.min(wantedConnections, KEPT_FOR_CONNECTIONS, Math.floor(left / 4)))
  const streams = Math.min(wanted.streams, left - kept)
  const connections = Math.min(wantedConnections, left - streams)
  const part = Math.max(MIN_PER_ADDRESS, Math.floor(connections * ADDRESS_PART))
  const connectionsPerAddress = Math.min(wanted.connectionsPerAddress ?? part, connections)
  return { streams, connections, connectionsPerAddress, admin, reserved }
}

/** The shares of this process. A lower limit than configured is logged. */
export function ownShares(wanted: Wanted, log: Logger): Shares {
  const openFiles = readOpenFilesLimit()
  const shares = shareOpenFiles(openFiles, wanted)
  const lowered = [
    ['MAX_STREAMS', wanted.streams, shares.streams],
    ['MAX_CONNECTIONS', wanted.connections, shares.connections],
  ] as const
  for (const [name, asked, possible] of lowered) {
    if (asked === undefined || asked <= possible) continue
    log.warn({ wanted: asked, possible, openFiles }, `${name} is more than the open files of this process allow`)
  }
  return shares
}

/** From /proc, on Linux. Node has raised the soft limit to the hard limit by then. */
export function readOpenFilesLimit(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
  } catch {
    return Number.POSITIVE_INFINITY // not Linux, or unlimited
  }
}

function between(min: number, value: number, max: number): number {
  return Math.max(min, Math.min(value, max))
}
