import { test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { describeNginx } from '../kit/nginx.ts'
import { startProcesses } from './session-ends/processes.ts'
import { revokeEverywhere } from './session-ends/scenarios.ts'

describeNginx('two gateways in processes of their own behind Nginx, with signed tokens', (nginx) => {
  describeKafka(
    'on a real broker',
    () => {
      test('a revocation, and a block, at one of them end what is open on both, in both modes', async () => {
        await revokeEverywhere(await startProcesses(nginx))
      }, 180_000)
    },
    { ownBroker: true },
  )
})
