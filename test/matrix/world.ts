import { readFileSync } from 'node:fs'
import { metricIn, startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import type { Request } from './client.ts'
import { type ControlProxy, startControlProxy } from './control-proxy.ts'
import type { Driver, Watched } from './drivers/driver.ts'
import type { Sight } from './sight.ts'

/** A client's own minutes pass in seconds (`fast-clock.ts`); what has not come by then is not waited for any more. */
const PATIENCE_MS = 60_000
/**
 * Nor is a client that has told and asked nothing for so many of our looks, 5 ms apart where nothing else runs, since
 * none waits for more than 30 of its seconds. Looks and not time: on a busy machine both sides are slow.
 */
const IDLE_LOOKS = 1_000

export interface WorldOptions {
  readonly driver: Driver
  /** Whether the client's waits are a browser's own. */
  readonly hastens: boolean
  readonly env?: Readonly<Record<string, string>>
}

/** What a cell has: a gateway of its own, a proxy before it, and the client. */
export class World {
  readonly gateway: TestGateway
  readonly proxy: ControlProxy
  readonly #driver: Driver
  readonly #watched: Watched[] = []

  private constructor(gateway: TestGateway, proxy: ControlProxy, driver: Driver) {
    this.gateway = gateway
    this.proxy = proxy
    this.#driver = driver
  }

  static async start({ driver, hastens, env = {} }: WorldOptions): Promise<World> {
    // Uncompressed, so that the proxy can read it. Heartbeats are as much faster as the clock of the clients.
    const gateway = await startTestGateway({
      partitions: 2,
      env: { COMPRESSION: 'off', HEARTBEAT_MS: '750', WINDOW_BYTES: '1000000', ...env },
    })
    return new World(gateway, await startControlProxy(gateway.graphql, { hastens }), driver)
  }

  subscribe(request: Request): Watched {
    const watched = this.#driver.subscribe(this.proxy.url, request)
    this.#watched.push(watched)
    return watched
  }

  flash(request: Request): void {
    this.#driver.flash(this.proxy.url, request)
  }

  /** Orders of EUROPE with these names, read by the gateway. */
  async produce(...ids: string[]): Promise<void> {
    const before = this.#eventsRead()
    await this.gateway.produce(...ids.map((id) => ({ id })))
    await until('the gateway has read them', () => this.#eventsRead() >= before + ids.length)
  }

  #eventsRead(): number {
    return [...this.gateway.streams.feeds].reduce((sum, feed) => sum + feed.events, 0)
  }

  /** @returns whether it came to hold, before the client gave up, fell silent, or used up our patience */
  async reach(watched: Watched, holds: () => boolean | Promise<boolean>): Promise<boolean> {
    let [activity, looks] = [-1, 0]
    const isIdle = () => {
      const now = watched.seen.length + this.proxy.requests()
      looks = now === activity ? looks + 1 : 0
      activity = now
      return looks > IDLE_LOOKS
    }
    await until('it holds', async () => (await holds()) || hasEnded(watched) || isIdle(), PATIENCE_MS).catch(() => {})
    return holds()
  }

  /** The client's side ends, as its users would end it. */
  async leave(): Promise<void> {
    for (const watched of this.#watched) watched.unsubscribe()
    this.#driver.dispose(this.proxy.url)
  }

  /** What is left of the client on the server, by name. Groups outlive their members by seconds. */
  async left(): Promise<Record<string, number>> {
    const { groups, subscribers } = this.gateway.engine
    if (groups + subscribers > 0) return { groups, subscribers }
    const page = await (await fetch(`${this.gateway.adminUrl}/metrics`)).text()
    const rest = {
      streams: metricIn(page, 'sluice_streams'),
      singleStreams: metricIn(page, 'sluice_single_streams'),
      connections: metricIn(page, 'sluice_connections', { port: 'graphql' }),
      descriptors: descriptorsAt(new URL(this.gateway.url).port),
    }
    return Object.fromEntries(Object.entries(rest).filter(([, value]) => value > 0))
  }
}

/** Connections that this machine's kernel has open at a port, whatever the gateway says; 0 where it is not Linux. */
function descriptorsAt(port: string): number {
  if (process.platform !== 'linux') return 0
  const local = `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
  return rows.filter(([, address = '', , state = '']) => address.endsWith(local) && OPEN_STATES.includes(state)).length
}

/** Established, and closed by the other side only. */
const OPEN_STATES = ['01', '08']

const hasEnded = ({ seen }: Watched): boolean => seen.some(({ saw }) => saw === 'end' || saw === 'error')

export const ordersOf = ({ seen }: Watched): string[] =>
  seen.flatMap((sight: Sight) => (sight.saw === 'order' ? [sight.id] : []))
