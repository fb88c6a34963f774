import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, describe, expect, test } from 'vitest'
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

test('deleted records are let go at once, however many stay', async () => {
  const MIB = 1024 * 1024
  const log = createEmbeddedLog()
  log.createTopic('t', 1)
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const held = (): number => {
    for (let round = 0; round < 3; round++) collect()
    return process.memoryUsage().arrayBuffers
  }
  const before = held()
  for (let n = 0; n < 40; n++) await log.sink.send('t', [{ key: null, value: Buffer.alloc(MIB), partition: 0 }])
  await log.sink.send(
    't',
    Array.from({ length: 1_000 }, () => ({ key: null, value: 'small', partition: 0 })),
  )
  expect(held() - before).toBeGreaterThan(39 * MIB)
  log.deleteRecords('t', 0, 40)
  expect(held() - before).toBeLessThan(2 * MIB)
  await log.close()
})
