import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { resumeOnKafka } from './kafka-world.ts'

describeKafka('resuming on Kafka, for long', (kafka) => {
  test('two hundred schedules: each event once and in order, or a gap that says so', async () => {
    await resumeOnKafka(kafka, 200)
  }, 1_800_000)
})
