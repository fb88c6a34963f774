import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { surviveGatewayKills } from './resume-kills.ts'

describeKafka(
  'gateways that are killed under load',
  () => {
    test('clients go from one to another, and lose nothing and get nothing twice', async () => {
      await surviveGatewayKills({ clients: 60, seconds: 20, kills: 2, killEveryMs: 5_000 })
    }, 300_000)
  },
  { ownBroker: true },
)
