import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { describeNginx } from '../kit/nginx.ts'
import { liveThroughADay } from './rolling-day.ts'

describeKafka(
  'gateways on Kafka',
  () => {
    describeNginx('behind Nginx on a bad day', (nginx) => {
      test('no client misses an order or gets one twice, and a rolling restart is no more than a reconnect', async () => {
        await liveThroughADay(nginx, {
          gateways: 2,
          clients: 80,
          rate: 200,
          drainMs: 4_000,
          heartbeatMs: 1_000,
          brokerDownMs: 1_000,
        })
      }, 300_000)
    })
  },
  { ownBroker: true },
)
