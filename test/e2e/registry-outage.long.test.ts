import { it, onTestFinished } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { describeRegistry, startOwnRegistry } from '../kit/registry.ts'
import { holdsOnlyItsTopic, registryWorld, survivesTroubles } from './registry-outages.ts'

describeKafka('a gateway whose schema registry fails', (kafka) => {
  describeRegistry('behind a proxy', (registry) => {
    it('down, silent, answering nonsense and errors: only its topic waits', async () => {
      await survivesTroubles({ kafka, registry }, ['refused', 'silent', 'nonsense', 'error', 'silent', 'refused'])
    })
  })
  describeRegistry(
    'by real signals',
    () => {
      it('killed by SIGKILL, and frozen by SIGSTOP: only its topic waits', async () => {
        const registry = await startOwnRegistry()
        onTestFinished(() => registry.process.stop())
        const world = await registryWorld({ kafka, registry })
        await holdsOnlyItsTopic(world, 1, {
          during: async () => registry.process.freeze(),
          heal: async () => registry.process.thaw(),
          sentence: /is held: The schema registry .* does not answer/,
        })
        await holdsOnlyItsTopic(world, 2, {
          during: () => registry.process.kill(),
          async heal() {
            // It comes back empty, and its producers register their schemas again, in the same order.
            await registry.process.restart()
            for (const number of [0, 1, 2]) await world.version(number)
          },
          sentence: /is held: The schema registry .* does not answer/,
        })
      })
    },
    { ownRegistry: true },
  )
})
