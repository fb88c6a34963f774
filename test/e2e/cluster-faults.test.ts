import { afterAll, beforeAll, test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { FAULTS } from './cluster/faults.ts'
import { World } from './cluster/world.ts'
import { type Row, surviveFault, table } from './cluster-faults.ts'

const DURATIONS = { down: 6_000, frozen: 15_000, throttled: 10_000, calm: 3_000, anotherGateway: false }

describeKafka(
  'two gateways on three brokers',
  () => {
    const closing = new AsyncDisposableStack()
    const rows: Row[] = []
    let world: World
    beforeAll(async () => {
      world = await World.start({ properties: {} }, closing)
    }, 180_000)
    afterAll(async () => {
      console.log(table(rows))
      await closing.disposeAsync()
    })

    for (const fault of FAULTS.slice(0, 3)) {
      test(`${fault.name}: nothing is lost, nothing comes twice, in the order of partitions`, async () => {
        await surviveFault(world, fault, DURATIONS, rows)
      }, 300_000)
    }
  },
  { ownBroker: true },
)
