import { afterAll } from 'vitest'
import { createKafka } from '../../src/streams/kafka.ts'
import { describeKafka } from '../kit/kafka.ts'
import { portContract } from './port-contract.ts'

describeKafka('Kafka', (kafka) => {
  let log: ReturnType<typeof createKafka> | undefined
  const open = () => {
    log ??= createKafka({ brokers: [kafka.brokers], clientId: 'contract', log: () => {} })
    return log
  }
  afterAll(() => log?.close())
  portContract(
    () => ({
      source: open().source,
      sink: open().sink,
      createTopic: (partitions) => kafka.createTopic(partitions),
      addPartitions: kafka.addPartitions,
      deleteRecords: kafka.deleteRecords,
    }),
    { runs: 5 },
  )
})
