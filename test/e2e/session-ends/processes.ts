import { onTestFinished } from 'vitest'
import { GatewayProcess } from '../../kit/gateway-process.ts'
import { startOwnBroker } from '../../kit/kafka.ts'
import type { NginxKit } from '../../kit/nginx.ts'
import { makeIssuer } from '../../kit/tokens.ts'
import { type Place, startFront, type World } from './scenarios.ts'

/** Two gateways in processes of their own, with signed tokens, on a broker of their own behind Nginx. */
export async function startProcesses(nginx: NginxKit): Promise<World> {
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
