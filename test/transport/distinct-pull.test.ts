import { expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { ITEM_BYTES, probeSchema } from './probe-schema.ts'

/** What the kernel may take on both sides of a connection before a write has to wait, generously. */
const MAX_KERNEL_BYTES = 64 * 1024 * 1024
const MASKED = { message: 'Unexpected error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }

test('a hand-written subscription has no cursor: a client cannot take one for a promise', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { count(to: 3) }')
  await stream.untilEnd()
  expect(stream.blocks.map(({ id }) => id)).toEqual([undefined, undefined, undefined, undefined, undefined])
  expect(stream.results.map(({ data }) => data?.count)).toEqual([1, 2, 3])
})

test('two clients of a hand-written subscription have a source each', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  await RawStream.subscribe(gateway.graphql, 'subscription { silent }')
  await RawStream.subscribe(gateway.graphql, 'subscription { silent }')
  await until('both sources have started', () => probe.open === 2)
  expect(await gateway.metric('sluice_subscribers')).toBe(2)
})

test('distinct 4: a source that throws in the middle ends its stream with a masked error and complete', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { breaks }')
  await stream.untilEnd()
  expect(stream.results).toEqual([{ data: { breaks: 1 } }, { errors: [MASKED] }])
  expect(stream.blocks.at(-1)).toEqual({ event: 'complete', data: '' })
  expect(stream.body).not.toMatch(/secret|hunter2/)
  expect(probe.open).toBe(0)
})

test('distinct 4: an item whose resolver throws is a result with a masked error, and the stream goes on', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { failsOnTwo }')
  await stream.untilEnd()
  expect(stream.results).toEqual([
    { data: { failsOnTwo: 1 } },
    { data: null, errors: [{ ...MASKED, path: ['failsOnTwo'], locations: [{ line: 1, column: 16 }] }] },
    { data: { failsOnTwo: 3 } },
  ])
  expect(stream.body).not.toMatch(/secret|hunter2/)
})

test('a stalled client is not pulled for, and costs no other client anything', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const stalled = await RawStream.subscribe(gateway.graphql, 'subscription { endless }')
  stalled.socket.pause()
  let pulled = 0
  let quiet = 0
  await until('nothing more is asked of the source', async () => {
    await gateway.metric('sluice_subscribers')
    quiet = probe.pulled > 0 && probe.pulled === pulled ? quiet + 1 : 0
    pulled = probe.pulled
    return quiet === 20
  })
  expect(pulled).toBeLessThan(MAX_KERNEL_BYTES / ITEM_BYTES)
  const other = await RawStream.subscribe(gateway.graphql, 'subscription { count(to: 2) }')
  await other.untilEnd()
  expect(other.results).toHaveLength(2)

  stalled.socket.resume()
  await until('the source is asked again', () => probe.pulled > pulled + 100)
  await stalled.close()
  await until('the source has ended', () => probe.open === 0)
})

test('a quiet hand-written subscription shows by comments that it lives', async () => {
  const gateway = await startTestGateway({ schema: probeSchema().schema, env: { HEARTBEAT_MS: '100' } })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { silent }')
  await until('a comment came', () => stream.body.includes('\n\n:\n\n'))
})

test('a client that leaves before its source has started leaves no source behind', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const stream = await RawStream.send(gateway.graphql, {
    method: 'POST',
    headers: { accept: 'text/event-stream' },
    body: { query: 'subscription { slowToStart }' },
  })
  await stream.close()
  probe.release()
  const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body: { query: '{ later }' } })
  expect(answer.status).toBe(200)
  await until('the source has ended', () => probe.open === 0)
})

test('shutdown tells the client of a hand-written subscription when to come back, and ends its source', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const stream = await RawStream.subscribe(gateway.graphql, 'subscription { silent }')
  await gateway.close()
  await stream.untilEnd()
  expect(stream.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
  expect(stream.body).not.toContain('complete')
  expect(probe.open).toBe(0)
})

test.each(['subscription { endsBadly }', 'subscription { endsBadlyLater }'])(
  'a source that fails to end harms nobody: %s',
  async (query) => {
    const gateway = await startTestGateway({ schema: probeSchema().schema })
    const stream = await RawStream.subscribe(gateway.graphql, query)
    await until('the stream is open', async () => (await gateway.metric('sluice_subscribers')) === 1)
    await stream.close()
    await until('the stream is gone', async () => (await gateway.metric('sluice_subscribers')) === 0)
  },
)

test('a source that fails to end harms nobody when its client left before it started', async () => {
  const probe = probeSchema()
  const gateway = await startTestGateway({ schema: probe.schema })
  const stream = await RawStream.send(gateway.graphql, {
    method: 'POST',
    headers: { accept: 'text/event-stream' },
    body: { query: 'subscription { slowToStartAndEndsBadly }' },
  })
  await stream.close()
  probe.release()
  await until('it was told to end', () => probe.endedBadly === 1)
  const answer = await RawStream.answer(gateway.graphql, { method: 'POST', body: { query: '{ hello }' } })
  expect(answer.status).toBe(200)
})
