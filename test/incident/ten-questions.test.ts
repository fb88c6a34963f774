import { expect, inject, test } from 'vitest'
import type { Gateway } from '../../src/gateway.ts'
import { until } from '../kit/until.ts'
import { REQUESTS, startIncident } from './incident.ts'
import {
  type Evidence,
  howFull,
  howLateAreClients,
  isSafeToRestart,
  whatChanged,
  whatDoes,
  whatIsSkipped,
  whichOperationCosts,
  whichTopicWaits,
  whoIsSlow,
  whyDidItEnd,
} from './questions.ts'

/** The run's own broker; undefined: there is none, and the embedded log has to do. */
async function brokersOfRun(): Promise<string | undefined> {
  const provided = inject('kafka')
  if ('missing' in provided) return undefined
  return (await fetch(provided.askAt)).text()
}

test("an operator's ten questions are answered by /inspect.json, metrics and log", async () => {
  const brokers = await brokersOfRun()
  await using incident = await startIncident({ brokers })
  const { blue, lines, shop } = incident
  const evidenceOf = async ({ adminUrl }: Gateway, instance: string): Promise<Evidence> => ({
    inspection: await (await fetch(`${adminUrl}/inspect.json`)).json(),
    metrics: await (await fetch(`${adminUrl}/metrics`)).text(),
    log: lines.filter((line) => line.instance === instance),
  })
  const calm = await evidenceOf(blue, 'blue')
  expect(whoIsSlow(calm)).toEqual([])
  expect(calm.inspection.ends.count).toBe(0)

  await incident.trouble()
  await until('who is slow is seen', async () => whoIsSlow(await evidenceOf(blue, 'blue')).length > 0)
  const now = await evidenceOf(blue, 'blue')
  const green = await evidenceOf(incident.green, 'green-2')

  // 1. Who is slow
  expect(whoIsSlow(now)).toEqual([
    {
      principal: 'exporter',
      address: '127.0.0.1',
      operation: 'BulkExport',
      requestId: REQUESTS.slow,
      bytes: expect.any(Number),
    },
  ])
  expect(whoIsSlow(now)[0]?.bytes).toBeGreaterThan(50_000)

  // 2. Which operation costs
  expect(whichOperationCosts(now)).toMatchObject({
    operation: 'CostlyDashboard',
    hash: expect.stringMatching(/^\w{64}$/),
  })

  // 3. How late are clients
  const late = howLateAreClients(now, shop.names.purchases)
  expect(late.liveSeconds).toBeGreaterThanOrEqual(0)
  expect(late.replays.map(({ requestId }) => requestId)).toContain(REQUESTS.late)
  for (const { ms, offsets } of late.replays) {
    expect(ms).toBeGreaterThan(1_000)
    expect(offsets).toBeGreaterThan(100)
  }

  // 4. Why did it end
  const reasons = Object.fromEntries(Object.entries(REQUESTS).map(([name, id]) => [name, whyDidItEnd(now, id)]))
  expect(reasons).toEqual({
    stalled: 'stalled',
    revoked: 'revoked',
    expired: 'expired',
    blocked: 'blocked',
    left: 'client',
    refused: 'RATE_LIMITED',
    waiting: 'NOT_READY',
    slow: undefined,
    late: undefined,
    costly: undefined,
    drained: undefined,
  })
  // The instance that it was on has gone: its log is what is left.
  const gone = { ...now, log: lines.filter(({ instance }) => instance === 'green') }
  expect(whyDidItEnd(gone, REQUESTS.drained)).toBe('shutdown')

  // 5. What is skipped, and why
  const skipped = whatIsSkipped(now, shop.names.purchases)
  expect(Object.keys(skipped).sort()).toEqual(['codec', 'schema', 'tombstone_skipped', 'too_large'])
  expect(skipped.schema).toMatchObject({
    count: 1,
    last: { partition: 1, detail: expect.stringContaining('merchantId') },
  })
  expect(JSON.stringify(skipped)).not.toContain('MOON')

  // 6. What does this principal do
  expect(whatDoes(now, 'partner')).toMatchObject({
    streams: 6,
    maxStreams: 6,
    refusals: { RATE_LIMITED: 3, GRAPHQL_VALIDATION_FAILED: 1 },
  })

  // 7. Which topic waits
  expect(whichTopicWaits(now)).toEqual([{ name: shop.names.shipments, why: expect.stringMatching(/shipments|not/i) }])

  // 8. Is it safe to restart
  const embedded =
    brokers === undefined ? ['Its log is in this process: events, cursors and decisions are lost with it'] : []
  expect(isSafeToRestart(now, [green])).toMatchObject({ isSafe: embedded.length === 0, blockers: embedded })
  expect(isSafeToRestart(now, []).blockers).toContain('No other instance is ready')

  // 9. How full
  expect(howFull(now).find(({ name }) => name === 'streams')).toMatchObject({ limit: 20, share: expect.any(Number) })
  expect(howFull(now)[0]?.share).toBeGreaterThan(0.5)

  // 10. What has changed
  const changed = whatChanged(now)
  expect(changed).toEqual(
    expect.arrayContaining([
      'decision operation:Scraper: Blocked: Reads everything',
      'decision principal:leaver: Revoked: Left the company',
      'keys API keys: 6 keys, by the file as it was read',
      expect.stringContaining(`topic ${shop.names.shipments}: waiting`),
      expect.stringMatching(/^instance blue: Started: Sluice /),
    ]),
  )
  // No question is answered with what clients sent or hold.
  expect(JSON.stringify(now.inspection)).not.toMatch(/key-of-|Bearer |eyJ/)
}, 180_000) // a broker that starts beside other tests takes most of it
