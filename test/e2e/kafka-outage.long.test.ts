import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { surviveKills } from './outages.ts'

describeKafka('a gateway whose broker fails again and again', () => {
  test('a broker killed and started again five times under load: nothing lost, nothing twice, no stream cut', async () => {
    await surviveKills(5)
  })
})
