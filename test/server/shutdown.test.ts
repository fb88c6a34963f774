import { expect, test } from 'vitest'
import { anOrder, startTestGateway } from '../kit/gateway.ts'
import { RawStream, requestBytes } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id city } }'
const STREAM = { accept: 'text/event-stream' }

test('a gateway that is closing opens no more streams, also on connections that it has already', async () => {
  const gateway = await startTestGateway()
  const kept = await RawStream.answer(gateway.graphql, { method: 'POST', body: { query: '{ __typename }' } })
  // Takes nothing, so that closing waits for it.
  const stalled = await RawStream.subscribe(gateway.graphql, QUERY)
  stalled.socket.pause()
  const city = 'x'.repeat(100_000)
  await until('the stalled one lags', async () => {
    await gateway.produce(...Array.from({ length: 10 }, () => anOrder({ city })))
    return (await gateway.metric('sluice_lagging_subscribers')) === 1
  })

  const closing = gateway.close()
  kept.received = ''
  kept.socket.write(requestBytes(gateway.graphql, { method: 'POST', headers: STREAM, body: { query: QUERY } }))
  await kept.untilHead()
  expect(kept.status).toBe(503)
  await closing
  expect(gateway.engine.subscribers).toBe(0)
})
