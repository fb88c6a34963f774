import { expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx } from '../kit/nginx.ts'
import { probeSchema } from '../transport/probe-schema.ts'
import { runCases } from './graphql-sse-cases.ts'

async function startWorld() {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema, env: { TRUSTED_PROXIES: '127.0.0.1' } })
  return { probe, gateway, url: gateway.graphql }
}

test("graphql-sse's cases that concern a server hold", async () => {
  console.log(`${await runCases(await startWorld())} cases, directly`)
}, 60_000)

describeNginx('through Nginx', (nginx) => {
  test('they hold as well', async () => {
    const world = await startWorld()
    const front = await nginx.start({ instances: [{ name: 'test', address: addressOf(world.gateway.url) }] })
    console.log(`${await runCases({ ...world, url: front.graphql })} cases, through Nginx`)
    expect(front.accessLog().length).toBeGreaterThan(0)
  }, 60_000)
})
