import { onTestFinished, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { describeKafka, startOwnBroker } from '../kit/kafka.ts'
import { describeNginx, type NginxKit } from '../kit/nginx.ts'
import { bearer, believeTokens } from '../kit/pretended-tokens.ts'
import { until } from '../kit/until.ts'
import { expireTogether, type Place, revokeEverywhere, startFront, type World } from './session-ends/scenarios.ts'

const CLIENTS = 200

describeNginx('two gateways behind Nginx', (nginx) => {
  describeKafka(
    'on a real broker',
    () => {
      test('a revocation, and a block, at one of them end what is open on both, in both modes', async () => {
        await revokeEverywhere(await startWorld(nginx))
      }, 120_000)

      test(`${CLIENTS} streams whose tokens end in the same second come back spread, and lose nothing`, async () => {
        await expireTogether(await startWorld(nginx), CLIENTS)
      }, 180_000)
    },
    { ownBroker: true },
  )
})

/** In this process, which believes tokens as they are: session-ends-processes.test.ts has real ones. */
async function startWorld(nginx: NginxKit): Promise<World> {
  believeTokens()
  const { broker, kafka, stop } = await startOwnBroker()
  onTestFinished(stop)
  await kafka.createTopicNamed('orders', 3)
  const start = async (name: string): Promise<Place> => {
    const env = { KAFKA_BROKERS: broker.brokers, INSTANCE_ID: name, AUTH_CLOCK_TOLERANCE_MS: '0' }
    const gateway = await startTestGateway({ env })
    const isReady = async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok
    await until(`${name} is ready`, isReady, 60_000)
    await until(`${name} follows the control topic`, async () => (await gateway.metric('sluice_control_ready')) === 1)
    return { name, url: gateway.url, adminUrl: gateway.adminUrl }
  }
  const places = await Promise.all([start('one'), start('two')])
  return {
    places,
    kafka,
    front: await startFront(nginx, places),
    sign: async ({ sub, expiresAt }) => ({ ...bearer({ id: sub, expiresAt }) }),
    startAnother: () => start('three'),
  }
}
