import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../deploy/kafka/probe.ts'
import { addressOf, type GatewayProcess, startGatewayProcess } from '../../deploy/stack/gateway.ts'
import type { GatewayPlace } from '../../deploy/stack/ports.ts'
import type { OrderEvent } from '../../src/streams/topics/orders.ts'
import { anOrder } from '../kit/gateway.ts'
import { startOwnBroker } from '../kit/kafka.ts'

const PARTITIONS = 3

/** One of the gateways, in a process of its own, and under the same name and address whenever it is started. */
interface Instance {
  readonly place: GatewayPlace
  readonly address: string
  process: GatewayProcess
}

/** Three real gateways, two at unix sockets and one at a port, on one real broker. */
export interface Instances {
  /** As in the options of Nginx. */
  readonly addresses: { readonly name: string; readonly address: string }[]
  /** Resolves when Kafka has the orders; those of a merchant stay in their order. */
  produce(...orders: Partial<OrderEvent>[]): Promise<void>
  /** -9, and resolves when it is gone. */
  kill(name: string): Promise<void>
  /** Starts what was killed, and resolves when it is ready. */
  restart(name: string): Promise<void>
  /** Of a metric without labels, by the instance's name. Those that are killed are left out. */
  metric(metric: string): Promise<Record<string, number>>
  stop(): Promise<void>
}

export async function startInstances(names: readonly [string, string, string]): Promise<Instances> {
  const { broker, kafka, stop: stopBroker } = await startOwnBroker()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-single-'))
  const env = { KAFKA_BROKERS: broker.brokers, LOG_LEVEL: 'error' }
  const instances: Instance[] = []
  const stop = async () => {
    await Promise.all(instances.map(({ process }) => process.child.stop('SIGKILL', 0)))
    await stopBroker()
    await rm(folder, { recursive: true, force: true })
  }
  const find = (name: string) => instances.find(({ place }) => place.name === name) as Instance
  try {
    await kafka.createTopicNamed('orders', PARTITIONS)
    const ports = await freePorts(names.length + 1)
    for (const [i, name] of names.entries()) {
      const place = { name, port: i === 0 ? ports[names.length] : undefined, adminPort: ports[i] as number }
      const process = startGatewayProcess({ ...place, folder, env })
      instances.push({ place, address: addressOf(place, folder), process })
    }
    await Promise.all(instances.map(({ process }) => process.ready()))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    addresses: instances.map(({ place, address }) => ({ name: place.name, address })),
    async produce(...orders) {
      const records = orders.map(anOrder).map((order) => ({ key: order.merchantId, value: JSON.stringify(order) }))
      await kafka.produce('orders', records)
    },
    async kill(name) {
      const { child } = find(name).process
      child.kill()
      await child.ended
    },
    async restart(name) {
      const instance = find(name)
      instance.process = startGatewayProcess({ ...instance.place, folder, env })
      await instance.process.ready()
    },
    async metric(metric) {
      const running = instances.filter(({ process }) => process.child.running)
      const values = running.map(async ({ place, process }) => {
        const text = await (await fetch(`${process.adminUrl}/metrics`)).text()
        const value = text.split('\n').find((line) => new RegExp(`^${metric}[{ ]`).test(line))
        if (value === undefined) throw new Error(`/metrics of ${place.name} has no ${metric}`)
        return [place.name, Number(value.slice(value.lastIndexOf(' ') + 1))]
      })
      return Object.fromEntries(await Promise.all(values))
    },
    stop,
  }
}
