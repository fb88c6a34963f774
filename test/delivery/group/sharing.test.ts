import { expect, test } from 'vitest'
import { startTestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'

test('two clients with the same operation get the same events from one execution each', async () => {
  const gateway = await startTestGateway()
  const one = await RawStream.subscribe(gateway.graphql, 'subscription { ordersByRegion(region: EUROPE) { id city } }')
  const other = await RawStream.subscribe(
    gateway.graphql,
    'subscription Other($where: Region!) { ordersByRegion(region: $where) { id, city } }',
    { variables: { where: 'EUROPE' } },
  )
  await gateway.produce({ id: 'a' }, { id: 'b', region: 'ASIA' }, { id: 'c' })
  const results = await one.untilResults(2)
  expect(await other.untilResults(2)).toEqual(results)
  expect(results.map(({ data }) => data?.ordersByRegion)).toEqual([
    { id: 'a', city: 'Amsterdam' },
    { id: 'c', city: 'Amsterdam' },
  ])
  expect(await gateway.metric('sluice_executions_total')).toBe(2)
  expect(await gateway.metric('sluice_groups')).toBe(1)
  expect(await gateway.metric('sluice_subscribers')).toBe(2)
})
