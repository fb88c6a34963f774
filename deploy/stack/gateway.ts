import { join } from 'node:path'
import { Child } from './child.ts'
import type { GatewayPlace } from './ports.ts'

const PROJECT = join(import.meta.dirname, '..', '..')
/** Node's start, Kafka's join, and the filling of the windows, on a busy machine. */
const READY_TIMEOUT_MS = 60_000
const PROBE_TIMEOUT_MS = 1_000

export interface GatewayProcess {
  readonly child: Child
  readonly url: string
  readonly adminUrl: string
  /** Resolves when /readyz says so. @throws Error with its last lines if it ends before. */
  ready(signal?: AbortSignal): Promise<void>
}

export interface GatewayProcessOptions extends GatewayPlace {
  /** A folder for its unix socket, if it has no port. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** Where Nginx finds it: `unix:/path` or `host:port`. */
export function addressOf({ name, port }: GatewayPlace, folder: string): string {
  return port === undefined ? `unix:${join(folder, `${name}.sock`)}` : `127.0.0.1:${port}`
}

/** A gateway in a process of its own: `src/main.ts`, as in production. */
export function startGatewayProcess({ folder, env, ...place }: GatewayProcessOptions): GatewayProcess {
  const { name, port, adminPort } = place
  const address = addressOf(place, folder)
  const listen =
    port === undefined ? { LISTEN_SOCKET: address.slice('unix:'.length) } : { LISTEN_SOCKET: '', PORT: String(port) }
  const own = { HOST: '127.0.0.1', ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(adminPort), INSTANCE_ID: name }
  const child = new Child({
    name,
    program: process.execPath,
    args: ['src/main.ts'],
    cwd: PROJECT,
    env: { ...listen, ...own, ...env },
  })
  const adminUrl = `http://127.0.0.1:${adminPort}`
  return {
    child,
    url: port === undefined ? address : `http://${address}/graphql`,
    adminUrl,
    ready: (signal) => child.until(() => isReady(adminUrl), READY_TIMEOUT_MS, signal),
  }
}

async function isReady(adminUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${adminUrl}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })).ok
  } catch {
    return false // it does not listen yet
  }
}
