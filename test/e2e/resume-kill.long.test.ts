import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { surviveGatewayKills } from './resume-kills.ts'

describeKafka(
  'gateways that are killed under load',
  () => {
    test('200 clients lose nothing and get nothing twice in two minutes of 500 orders a second', async () => {
      await surviveGatewayKills({ clients: 200, seconds: 120, kills: 10, killEveryMs: 4_000 })
    })
  },
  { ownBroker: true },
)
