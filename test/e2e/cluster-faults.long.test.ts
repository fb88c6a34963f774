import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { FAULTS } from './cluster/faults.ts'
import { World } from './cluster/world.ts'
import { type Row, surviveFault, table } from './cluster-faults.ts'

const DURATIONS = { down: 20_000, frozen: 60_000, throttled: 60_000, calm: 10_000, anotherGateway: true }
/** Kafka's own defaults, which tests that have no time shorten. */
const AS_IN_PRODUCTION = {
  'broker.session.timeout.ms': '9000',
  'broker.heartbeat.interval.ms': '2000',
  'group.initial.rebalance.delay.ms': '3000',
}
/** Whether times and `/readyz` that are not as promised fail the test. `CLUSTER_FAULTS_STRICT=1` turns it on. */
const IS_STRICT = process.env.CLUSTER_FAULTS_STRICT === '1'

describeKafka(
  'two gateways on three brokers, as slow to notice faults as in production',
  () => {
    const closing = new AsyncDisposableStack()
    const rows: Row[] = []
    let world: World
    beforeAll(async () => {
      world = await World.start({ properties: AS_IN_PRODUCTION }, closing)
    }, 180_000)
    afterAll(async () => {
      console.log(table(rows))
      await closing.disposeAsync()
    })

    for (const fault of FAULTS) {
      test(`${fault.name}: nothing is lost, nothing comes twice, in the order of partitions`, async () => {
        const row = await surviveFault(world, fault, DURATIONS, rows)
        if (IS_STRICT) expect(row.late).toEqual([])
      })
    }
  },
  { ownBroker: true },
)
