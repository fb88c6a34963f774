/** An instance's name is in stream tokens, Nginx's map and metrics. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nginxConfig } from '../../deploy/nginx/config.ts'
import { INSTANCE_NAME, madeUpInstanceName } from '../../src/instance-name.ts'
import { newStreamToken } from '../../src/transport/single/token.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { Statistics } from '../kit/statistics.ts'

const RUNS = 2_000
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/)
/** As Kubernetes makes them, and shorter. */
const podName = fc
  .array(label, { minLength: 1, maxLength: 5 })
  .map((labels) =>
    labels
      .join('.')
      .slice(0, 63)
      .replace(/[.-]+$/, ''),
  )
  .filter((name) => name !== '')
/** Nearly names, and what somebody may put in their place. */
const anyText = fc.oneof(podName, fc.string({ maxLength: 70 }), fc.stringMatching(/^[a-z0-9.-]{0,70}$/))

/** The pattern by which Nginx takes a token apart, as it is in the configuration. */
function patternOfNginx(names: readonly string[]): RegExp {
  const instances = names.map((name, i) => ({ name, address: `10.0.0.1:${4000 + i}` }))
  const config = nginxConfig({ certificate: '/a.crt', certificateKey: '/a.key', instances })
  const [, pattern = ''] = /"~(\^\[A-Z\]\+ .*)" \$sluice_name;/.exec(config) ?? []
  return new RegExp(pattern)
}

test('a pod name of 63 characters with dots is an INSTANCE_ID, and is whole in metrics', async () => {
  const name = `orders.gateway-${'x'.repeat(42)}-abcde`
  expect(name).toHaveLength(63)
  const gateway = await startTestGateway({ env: { INSTANCE_ID: name } })
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  expect(metrics).toContain(`sluice_ready{exported_instance="${name}"} 1`)
  const token = await (await fetch(gateway.graphql, { method: 'PUT' })).text()
  expect(token.slice(0, token.lastIndexOf('.'))).toBe(name)
})

test("Nginx reads from a token the name that is in it, and no other instance's", () => {
  const pattern = patternOfNginx(['a'])
  const statistics = new Statistics('names', ['with dots', 'longer than 40', 'one begins with the other', 'refused'])
  fc.assert(
    fc.property(anyText, podName, fc.constantFrom('GET', 'POST', 'DELETE'), (text, other, method) => {
      if (!INSTANCE_NAME.test(text)) return statistics.count('refused')
      // One name may begin with another, dot included.
      for (const name of [text, `${text}.${other}`.slice(0, 63).replace(/\.$/, '')]) {
        if (name.includes('.')) statistics.count('with dots')
        if (name.length > 40) statistics.count('longer than 40')
        if (name !== text) statistics.count('one begins with the other')
        const token = newStreamToken(name)
        expect(pattern.exec(`${method} ${token}`)?.groups?.sluice_name).toBe(name)
        expect(encodeURIComponent(token)).toBe(token)
        expect(new URLSearchParams({ token }).toString()).toBe(`token=${token}`)
      }
    }),
    { numRuns: RUNS },
  )
  statistics.report()
})

test('a name that is made up for a process is a name, and tells apart pods of one deployment', () => {
  const pods = ['sluice-orders-gateway-6d5f8c9b7d-abcde', 'sluice-orders-gateway-6d5f8c9b7d-fghij']
  expect(new Set(pods.map((host) => madeUpInstanceName(host, 1))).size).toBe(2)
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.integer({ min: 1, max: 4_194_304 }), (host, pid) => {
      expect(madeUpInstanceName(host, pid)).toMatch(INSTANCE_NAME)
    }),
  )
})
