import type { LogRecord, Offsets } from '../../../deploy/kafka/administrator.ts'
import type { OrderEvent } from '../../../src/streams/topics/orders.ts'
import { startTestCluster, type TestCluster } from '../../kit/cluster.ts'
import { GatewayProcess } from '../../kit/gateway-process.ts'
import { followLog, type LogFollower, type Placed } from '../../kit/java-clients.ts'
import { until } from '../../kit/until.ts'
import { nameOf } from '../order-log.ts'
import { CursorClient, OfficialClient, type OrdersClient, REGION } from './clients.ts'
import type { Log } from './compare.ts'
import { OrderLoad } from './load.ts'
import { ReadyzSampler } from './readyz.ts'

export const TOPIC = 'orders'
const PARTITIONS = 6
const ORDERS_PER_SECOND = 300
const MOVE_EVERY_MS = 3_000
const FOLLOWER_ID = 'follower'
/** As the gateway refreshes its own. */
const FOLLOWER_METADATA_MS = 5_000
/** Before a fault this many orders have come to each client: two seconds' worth. */
const ORDERS_BEFORE = 300
const FLOWING_TIMEOUT_MS = 120_000
/** For the last orders to come, once nothing fails any more; what has not come by then counts as lost. */
const SETTLE_MS = 90_000

export interface WorldOptions {
  /** Server properties. */
  readonly properties: Readonly<Record<string, string>>
}

/** What came between two settled moments, of the clients in the order of `World.clients`. */
export interface Settled {
  readonly log: Log
  readonly came: readonly (readonly OrdersClient['came'][number][])[]
  /** The same as places in the log, the first arrival of each order. */
  readonly arrivals: readonly (readonly Placed[])[]
  /** To Kafka's own consumer: orders of `REGION`, and all of them. */
  readonly followed: readonly Placed[]
  readonly followedAll: readonly Placed[]
  /** When the producer knew of the orders of `REGION`. */
  readonly acked: readonly Placed[]
  /** Orders that the log does not have, or not where the producer was told. */
  readonly unlogged: readonly string[]
  readonly errors: readonly string[]
}

/** Three brokers, orders that never stop, two gateways, their clients, and Kafka's own consumer to compare with. */
export class World {
  readonly cluster: TestCluster
  readonly gateways: readonly GatewayProcess[]
  /** The first is at the first gateway and the second at the second all the time; the third moves between them. */
  readonly clients: readonly [CursorClient, OfficialClient, CursorClient]
  readonly load: OrderLoad
  readonly follower: LogFollower
  readonly readyz: ReadyzSampler
  /** Orders that an unclean election is about to lose. */
  readonly gone = new Set<string>()
  readonly #places = new Map<string, Placed>()
  #starts: Offsets = {}
  /** What of each client, of the follower and of the load has been looked at. */
  #taken = { clients: [0, 0, 0], errors: [0, 0, 0], follower: 0, load: 0 }

  private constructor(parts: Pick<World, 'cluster' | 'gateways' | 'clients' | 'load' | 'follower' | 'readyz'>) {
    this.cluster = parts.cluster
    this.gateways = parts.gateways
    this.clients = parts.clients
    this.load = parts.load
    this.follower = parts.follower
    this.readyz = parts.readyz
  }

  /** @param closing closes what has been started, also where the start fails */
  static async start({ properties }: WorldOptions, closing: AsyncDisposableStack): Promise<World> {
    // A leader stays where a fault has brought it until a test brings it back.
    const cluster = await startTestCluster({ properties: { 'auto.leader.rebalance.enable': 'false', ...properties } })
    closing.defer(() => cluster.stop())
    await cluster.admin.createTopic(TOPIC, { partitions: PARTITIONS })
    await cluster.untilInSync(TOPIC)

    const gateways = await World.#gateways(cluster, ['g0', 'g1'])
    closing.defer(() => Promise.all(gateways.map((gateway) => gateway.kill())).then(() => {}))
    for (const gateway of gateways) gateway.start()
    const follower = await followLog(cluster.bootstrap, TOPIC, {
      clientId: FOLLOWER_ID,
      metadataMaxAgeMs: FOLLOWER_METADATA_MS,
    })
    closing.defer(() => follower.stop())
    for (const gateway of gateways) await gateway.untilReady()

    const urls = gateways.map(({ url }) => url)
    const clients = [
      new CursorClient('raw stream at g0', urls.slice(0, 1)),
      new OfficialClient('graphql-sse at g1', urls[1] as string),
      new CursorClient('raw stream, moving', urls, MOVE_EVERY_MS),
    ] as const
    closing.defer(async () => {
      for (const client of clients) client.close()
    })
    await until('all clients have a stream', () => clients.every(({ opened }) => opened > 0), FLOWING_TIMEOUT_MS)
    const readyz = new ReadyzSampler(gateways)
    closing.defer(async () => readyz.close())
    const load = await OrderLoad.start(cluster.bootstrap, TOPIC, ORDERS_PER_SECOND)
    closing.defer(() => load.stop())
    return new World({ cluster, gateways, clients, load, follower, readyz })
  }

  /** Another gateway, started now; nobody is its client. */
  async anotherGateway(): Promise<GatewayProcess> {
    const [gateway] = await World.#gateways(this.cluster, ['g2'])
    gateway?.start()
    return gateway as GatewayProcess
  }

  static #gateways({ bootstrap }: TestCluster, names: readonly string[]): Promise<GatewayProcess[]> {
    return GatewayProcess.create(names, { KAFKA_BROKERS: bootstrap, LOG_LEVEL: 'warn' })
  }

  /** The client ids that a quota applies to. */
  get clientIds(): string[] {
    return [...this.gateways.map(({ name }) => `sluice-${name}`), FOLLOWER_ID]
  }

  /** Resolves when orders come to every client, and have for a while. */
  async untilFlowing(): Promise<void> {
    const before = this.clients.map(({ names }) => names.size)
    const flows = () => this.clients.every(({ names }, i) => names.size >= (before[i] as number) + ORDERS_BEFORE)
    await until('orders come to every client', flows, FLOWING_TIMEOUT_MS)
  }

  /** After a fault that did not end as it should: starts what is down, and forgets what has come. */
  async repair(): Promise<void> {
    for (const broker of this.cluster.brokers) {
      broker.thaw()
      if (!broker.isRunning) await broker.restart()
    }
    await this.cluster.untilInSync(TOPIC)
    await this.settle()
  }

  /** Waits until all that was produced has come, and returns what came since this was called the last time. */
  async settle(): Promise<Settled> {
    await this.load.pause()
    const { records, ends } = await this.cluster.admin.read(TOPIC, this.#starts)
    const wanted = records.map(placedOrder).filter(({ order }) => order.region === REGION)
    for (const { name, place } of wanted) this.#places.set(name, place)
    const pending = this.clients.map(({ names }) => wanted.filter(({ name }) => !names.has(name)))
    const isDone = () =>
      this.clients.every(({ names }, i) => {
        const waiting = pending[i] ?? []
        while (waiting.length > 0 && names.has(waiting.at(-1)?.name as string)) waiting.pop()
        return waiting.length === 0
      })
    await until('all orders have come', isDone, SETTLE_MS).catch(() => {}) // the counts say what has not
    const total = records.length
    const isFollowed = () => this.follower.arrivals.length >= this.#taken.follower + total
    await until("Kafka's own consumer has all", isFollowed, SETTLE_MS).catch(() => {}) // a silence to the end

    const { clients, errors, follower, load } = this.#taken
    const came = this.clients.map((client, i) => client.came.slice(clients[i]))
    const told = this.clients.flatMap((client, i) =>
      client.errors.slice(errors[i]).map((error) => `${client.name}: ${error}`),
    )
    const followedAll = this.follower.arrivals.slice(follower)
    const ours = new Set(wanted.map(({ place }) => `${place.partition} ${place.offset}`))
    const acked = this.load.placed(load)
    const isLogged = ({ name, partition, offset }: (typeof acked)[number]) => {
      const place = this.#places.get(name)
      return place?.partition === partition && place.offset === offset
    }
    const settled: Settled = {
      log: { places: new Map(this.#places), starts: this.#starts, gone: new Set(this.gone) },
      came,
      arrivals: came.map((each) => this.#placesOf(each)),
      followed: followedAll.filter(({ partition, offset }) => ours.has(`${partition} ${offset}`)),
      followedAll,
      acked,
      unlogged: acked.filter((order) => !isLogged(order)).map(({ name }) => name),
      errors: told,
    }
    this.#starts = ends
    this.#taken = {
      clients: this.clients.map((client) => client.came.length),
      errors: this.clients.map((client) => client.errors.length),
      follower: this.follower.arrivals.length,
      load: this.load.sent,
    }
    this.load.resume()
    return settled
  }

  #placesOf(came: readonly OrdersClient['came'][number][]): Placed[] {
    const seen = new Set<string>()
    return came.flatMap((each) => {
      const place = each.kind === 'order' ? this.#places.get(each.name) : undefined
      if (each.kind !== 'order' || !place || seen.has(each.name)) return []
      seen.add(each.name)
      return [{ ...place, at: each.at }]
    })
  }
}

function placedOrder({ partition, offset, value }: LogRecord) {
  const order = JSON.parse(value ?? '') as OrderEvent
  return { name: nameOf(order), order, place: { partition, offset, at: 0 } }
}
