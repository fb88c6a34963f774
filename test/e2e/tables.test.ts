import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { keepTables } from './tables.ts'

describeKafka(
  'tables of a compacted topic, under changes and kills',
  () => {
    test('40 clients have the rows of a table of 3,000, wherever they are', async () => {
      await keepTables({ rows: 3_000, all: 10, parts: 30, changesPerSecond: 300, seconds: 12 })
    })
  },
  { ownBroker: true },
)
