import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { keepTables } from './tables.ts'

describeKafka(
  'tables of a compacted topic, under changes and kills',
  () => {
    test('500 clients have the rows of a table of 100,000, wherever they are', async () => {
      await keepTables({ rows: 100_000, all: 50, parts: 450, changesPerSecond: 1_000, seconds: 150 })
    })
  },
  { ownBroker: true },
)
