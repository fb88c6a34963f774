import { test } from 'vitest'
import { describeChromium } from '../kit/chromium.ts'
import { describeKafka } from '../kit/kafka.ts'
import { describeNginx } from '../kit/nginx.ts'
import { liveThrough } from './kafka-day.ts'

describeKafka(
  'from a real Kafka, behind a real Nginx, with two gateways',
  () => {
    describeNginx('through TLS', (nginx) => {
      describeChromium('in Chromium', (browser) => {
        test('the panels are what was sold, by region: after a cut, a sleep and the end of a gateway', async () => {
          await liveThrough({ nginx, browser, kills: 1, batch: 100 })
        }, 120_000)
      })
    })
  },
  { ownBroker: true },
)
