import { randomUUID } from 'node:crypto'
import { afterAll, describe } from 'vitest'
import { createEmbeddedLog } from '../../../../src/streams/source/embedded/embedded.ts'
import { portContract } from '../port-contract.ts'

describe('the embedded log', () => {
  const log = createEmbeddedLog()
  afterAll(() => log.close())
  portContract(
    () => ({
      source: log.source,
      sink: log.sink,
      async createTopic(partitions) {
        const topic = randomUUID()
        log.createTopic(topic, partitions)
        return topic
      },
      addPartitions: async (topic, total) => log.addPartitions(topic, total),
      deleteRecords: async (topic, partition, before) => log.deleteRecords(topic, partition, before),
      openAnother: () => createEmbeddedLog(),
    }),
    { runs: 100 },
  )
})
