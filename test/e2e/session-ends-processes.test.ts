import { onTestFinished, test } from 'vitest'
import { GatewayProcess } from '../kit/gateway-process.ts'
import { describeKafka, startOwnBroker } from '../kit/kafka.ts'
import { describeNginx, type NginxKit } from '../kit/nginx.ts'
import { makeIssuer } from '../kit/tokens.ts'
import { expireTogether, type Place, revokeEverywhere, startFront, type World } from './session-ends/scenarios.ts'

const CLIENTS = 1_000

describeNginx('two gateways in processes of their own behind Nginx, with signed tokens', (nginx) => {
  describeKafka(
    'on a real broker',
    () => {
      test('a revocation, and a block, at one of them end what is open on both, in both modes', async () => {
        await revokeEverywhere(await startWorld(nginx))
      }, 180_000)

      test(`${CLIENTS} streams whose tokens end in the same second come back spread, and lose nothing`, async () => {
        await expireTogether(await startWorld(nginx), CLIENTS)
      }, 300_000)
    },
    { ownBroker: true },
  )
})

async function startWorld(nginx: NginxKit): Promise<World> {
  const { broker, kafka, stop } = await startOwnBroker()
  onTestFinished(stop)
  await kafka.createTopicNamed('orders', 3)
  const issuer = await makeIssuer({ algorithm: 'ES256' })
  const env = {
    KAFKA_BROKERS: broker.brokers,
    AUTH_KEY_FILE: issuer.keyFile(),
    AUTH_CLOCK_TOLERANCE_MS: '0',
    // All clients have one address here.
    NEW_STREAMS_PER_ADDRESS: '10000',
    MAX_STREAMS_PER_ADDRESS: '10000',
  }
  const gateways = await GatewayProcess.create(['one', 'two', 'three'], env)
  onTestFinished(async () => void (await Promise.all(gateways.map((gateway) => gateway.kill()))))
  const start = async (gateway: GatewayProcess): Promise<Place> => {
    gateway.start()
    await gateway.untilReady()
    return { name: gateway.name, url: gateway.url, adminUrl: gateway.adminUrl }
  }
  const [one, two, three] = gateways as [GatewayProcess, GatewayProcess, GatewayProcess]
  const places = await Promise.all([start(one), start(two)])
  return {
    places,
    kafka,
    front: await startFront(nginx, places),
    sign: async ({ sub, expiresAt }) => ({
      authorization: `Bearer ${await issuer.sign({ sub, exp: Math.floor(expiresAt / 1_000) })}`,
    }),
    startAnother: () => start(three),
  }
}
