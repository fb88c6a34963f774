import { brokers } from '../harness/broker.ts'
import { run } from '../harness/generator.ts'
import { type Load, oneRegion, postRequest } from '../harness/load.ts'
import { atMost, type Scenario } from '../harness/scenario.ts'
import { paired, quantile, spreadOf } from '../harness/statistics.ts'
import type { System } from '../harness/system.ts'
import { startConsumer, startSluice } from '../systems/start.ts'

const RATE = 100

export const latency: Scenario = {
  name: 'latency',
  load: '100 events/s from the producer through Kafka to one client, and to a bare kafkajs consumer',
  needs: ['generator', 'kafka'],
  quick: true,
  async run(settings) {
    const measureMs = settings.quick ? 1500 : 3000
    const load: Load = oneRegion(1)
    await using systems = new AsyncDisposableStack()
    const sluice = await startSluice({ brokers: await brokers(), tree: settings.tree, profile: settings.profile })
    systems.defer(() => sluice.stop())
    const consumer = await startConsumer({ brokers: await brokers() })
    systems.defer(() => consumer.stop())
    const fed: System = {
      name: 'kafkajs',
      port: 0,
      pids: [consumer.pid],
      feed: consumer.feed,
      request: postRequest,
      template: (order) => JSON.stringify(order),
      stop: () => consumer.stop(),
    }
    const ofSluice = async () => {
      const { latencyMs, faults } = await run(sluice, { load, rate: RATE, warmMs: 500, measureMs })
      for (const fault of faults) notes.add(fault)
      return latencyMs.p50
    }
    const ofConsumer = async () => {
      await consumer.report()
      await run(fed, { load: { ...load, asks: [] }, rate: RATE, warmMs: 500, measureMs })
      return quantile((await consumer.report()).latencies, 0.5)
    }

    const notes = new Set<string>()
    const p50: Record<'Sluice' | 'kafkajs', number[]> = { Sluice: [], kafkajs: [] }
    for (let round = 0; round < settings.rounds; round++) {
      const first = round % 2 === 0
      if (first) p50.Sluice.push(await ofSluice())
      p50.kafkajs.push(await ofConsumer())
      if (!first) p50.Sluice.push(await ofSluice())
      settings.say(`  round ${round + 1}: Sluice ${p50.Sluice.at(-1)} ms, kafkajs ${p50.kafkajs.at(-1)} ms`)
    }
    const more = paired(p50.Sluice, p50.kafkajs, (a, b) => a - b)
    return {
      measures: [atMost('p50, more than a bare kafkajs consumer', spreadOf(more), 3, 'ms', notes.size)],
      plot: {
        title: 'Median latency from producer to client',
        unit: 'ms',
        series: Object.entries(p50).map(([system, values]) => ({ system, values })),
      },
      notes: [...notes],
    }
  },
}
