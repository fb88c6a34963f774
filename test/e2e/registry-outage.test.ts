import { expect, it } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { describeRegistry } from '../kit/registry.ts'
import { until } from '../kit/until.ts'
import { registryWorld, survivesTroubles } from './registry-outages.ts'

describeKafka('a gateway with a schema registry', (kafka) => {
  describeRegistry('on a real broker', (registry) => {
    it('holds the partition of new versions while the registry is down, or answers nonsense: nothing else', async () => {
      await survivesTroubles({ kafka, registry }, ['refused', 'nonsense'])
    })

    it('delivers 50 versions of a schema in one topic', async () => {
      const world = await registryWorld({ kafka, registry })
      const versions: Awaited<ReturnType<typeof world.version>>[] = []
      for (let number = 0; number < 50; number++) versions.push(await world.version(number))
      // The newest and the oldest by turns.
      const order = versions.flatMap((_, index) => [versions[49 - index], versions[index]])
      await Promise.all(order.map((version, index) => version?.produce(index % 2)))
      await until('all are delivered', () => world.received().length === 100)
      expect(world.received().toSorted((a, b) => a - b)).toEqual(world.sent)
      const delivered = world.stream.results.map(
        ({ data }) => (data as { payment: { version: number } }).payment.version,
      )
      expect(new Set(delivered).size).toBe(50)
    })
  })
})
