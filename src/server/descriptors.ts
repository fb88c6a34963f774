import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'

/**
 * Descriptors that no connection of a client gets: Kafka's connections (several to each broker), the listeners, the log,
 * Node's own (some 25), and files that are read in passing. At most an eighth of all, so that a small limit still serves.
 */
const RESERVED = 512
const MIN_RESERVED = 64
/** Connections of the admin port: Prometheus, probes, and people. At most a sixteenth of all. */
const ADMIN = 64
const MIN_ADMIN = 4
/** As many as may wait to be accepted (`BACKLOG` in listen.ts), in a storm of clients that come back. */
const MAX_CONNECTIONS = 4_096
/** What streams leave to other connections in any case; at most a quarter of what there is. */
const KEPT_FOR_CONNECTIONS = 512
/** No address alone uses up all connections; and an office behind one address may connect all at once. */
const ADDRESS_PART = 1 / 2
const MIN_PER_ADDRESS = 8

export interface Wanted {
  readonly streams: number
  /** Of clients, apart from streams; absent: what is left, up to 4,096. */
  readonly connections?: number | undefined
  /** Of one client address; absent: half of them. */
  readonly connectionsPerAddress?: number | undefined
}

/** How many of each there may be; with what is reserved they are never more than the limit. */
export interface Shares {
  readonly streams: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly admin: number
  readonly reserved: number
}

/**
 * Divides the open files of a process: what is reserved, the admin port, streams, and other connections of clients.
 * Streams come first, but for a part that is kept for other connections: each stream begins as one.
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

/** The shares of this process. Where less is possible than was asked for, the log says so. */
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

/** Linux tells. Node has raised it to the hard limit by then. */
export function readOpenFilesLimit(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
  } catch {
    return Number.POSITIVE_INFINITY // another system, or unlimited: nothing to be near to
  }
}

function between(min: number, value: number, max: number): number {
  return Math.max(min, Math.min(value, max))
}
