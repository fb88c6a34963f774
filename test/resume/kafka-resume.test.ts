import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { resumeOnKafka } from './kafka-world.ts'

describeKafka('resuming on Kafka', (kafka) => {
  test('twenty schedules: each event once and in order, or a gap that says so', async () => {
    await resumeOnKafka(kafka, Number(process.env.RESUME_RUNS ?? 20))
  }, 300_000)
})
