import { expect, test } from 'vitest'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import '../../examples/topic-options/account.ts'
import { accounts } from '../../examples/topic-options/accounts.ts'
import { topics } from '../../src/resolvers/schema.ts'
import { builder } from '../../src/schema/types/builder.ts'

test('an account is followed by its key, from some sources, to its tombstone', async () => {
  const embedded = createEmbeddedLog()
  for (const { name } of [...topics, accounts]) embedded.createTopic(name, 1)
  const gateway = await startTestGateway({ schema: builder.toSchema(), topics: [...topics, accounts], embedded })
  const query = 'subscription { account(id: "a", sources: ["bank"]) { id status changedAt } }'
  const stream = await RawStream.subscribe(gateway.graphql, query)
  await stream.untilBlocks(1)
  const start = Date.parse('2026-11-27T10:15:30.000Z')
  const value = JSON.stringify({ status: 'OPEN', owner: { id: 'o' } })
  const bank = { source: 'bank' }
  const records = [
    { key: 'a', value, headers: bank },
    { key: 'b', value, headers: bank },
    { key: 'a', value, headers: { source: 'till' } },
    { key: 'a', value, headers: { ...bank, dryRun: 'true' } },
    { key: 'a', value: null },
    { key: 'a', value: null, headers: bank },
  ]
  await embedded.sink.send(
    'accounts',
    records.map((record, n) => ({ ...record, timestamp: start + n })),
  )
  expect(await stream.untilResults(2)).toEqual([
    { data: { account: { id: 'a', status: 'OPEN', changedAt: new Date(start).toISOString() } } },
    { data: { account: { id: 'a', status: 'CLOSED', changedAt: new Date(start + 5).toISOString() } } },
  ])
  expect(await gateway.metric('sluice_events_total', { topic: 'accounts' })).toBe(6)
})
