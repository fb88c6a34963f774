import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { describeNginx } from '../kit/nginx.ts'
import { liveThroughADay } from './rolling-day.ts'

describeKafka(
  'gateways on Kafka',
  () => {
    describeNginx('behind Nginx on a bad day', (nginx) => {
      test('500 clients miss no order and get none twice, and a rolling restart is no more than a reconnect', async () => {
        await liveThroughADay(nginx, {
          gateways: 3,
          clients: 500,
          rate: 100,
          drainMs: 30_000,
          heartbeatMs: 5_000,
          brokerDownMs: 3_000,
        })
      }, 900_000)
    })
  },
  { ownBroker: true },
)
