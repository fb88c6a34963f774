import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { describeNginx } from '../kit/nginx.ts'
import { startProcesses } from './session-ends/processes.ts'
import { expireTogether } from './session-ends/scenarios.ts'

const CLIENTS = 1_000

describeNginx('two gateways in processes of their own behind Nginx, with signed tokens', (nginx) => {
  describeKafka(
    'on a real broker',
    () => {
      test(`${CLIENTS} streams whose tokens end in the same second come back spread, and lose nothing`, async () => {
        await expireTogether(await startProcesses(nginx), CLIENTS)
      }, 300_000)
    },
    { ownBroker: true },
  )
})
