import { serverAudits } from 'graphql-http'
import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'

/**
 * GraphQL over HTTP's own audits, by graphql-http. Those whose name has MUST are required by the specification; SHOULD
 * and MAY are not, and are met all the same.
 */
describe('GraphQL over HTTP', () => {
  let url = ''
  const audits = serverAudits({ url: () => url })

  test.each(audits.map((audit) => [audit.name, audit] as const))('audit: %s', async (_name, audit) => {
    const gateway = await startTestGateway()
    url = gateway.graphql
    const result = await audit.fn()
    const reason = 'reason' in result ? result.reason : ''
    expect([result.status, reason]).toEqual(['ok', ''])
  })

  test('there are audits of all three kinds', () => {
    for (const kind of ['MUST', 'SHOULD', 'MAY']) {
      expect(audits.some(({ name }) => name.startsWith(kind))).toBe(true)
    }
  })
})
