import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id } }'

async function samples(gateway: TestGateway): Promise<string[]> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith('sluice_'))
}

test('/livez and /readyz of a ready gateway say so', async () => {
  const gateway = await startTestGateway()
  for (const [path, text] of [
    ['/livez', 'live\n'],
    ['/readyz', 'ready\n'],
  ]) {
    const response = await fetch(`${gateway.adminUrl}${path}`)
    expect([response.status, await response.text()]).toEqual([200, text])
    expect(response.headers.get('cache-control')).toBe('no-store')
  }
})

test('another path has nothing, and says what there is', async () => {
  const gateway = await startTestGateway()
  const response = await fetch(`${gateway.adminUrl}/metric`)
  expect(response.status).toBe(404)
  expect(await response.text()).toBe(
    'There are /inspect, /livez, /readyz, /metrics, /inspect.json, /produce, /revoke, /block here\n',
  )
})

test('the pages are only read', async () => {
  const gateway = await startTestGateway()
  const response = await fetch(`${gateway.adminUrl}/livez`, { method: 'POST' })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  expect((await fetch(`${gateway.adminUrl}/livez`, { method: 'HEAD' })).status).toBe(200)
})

test('a path that is no path is not found, and does not end the process', async () => {
  const gateway = await startTestGateway()
  for (const target of ['//', 'http://', '*', '/%', '/__proto__', '/constructor', '//x/livez', 'http://localhost']) {
    const answer = await RawStream.write(gateway.adminUrl, `GET ${target} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await answer.untilHead()
    expect([target, answer.status]).toEqual([target, 404])
  }
})

test('GraphQL is not on the admin port, and admin pages are not on the public one', async () => {
  const gateway = await startTestGateway()
  expect((await fetch(`${gateway.adminUrl}/graphql?query={__typename}`)).status).toBe(404)
  for (const path of ['/livez', '/readyz', '/metrics']) expect((await fetch(`${gateway.url}${path}`)).status).toBe(404)
})

test('every metric has a help text and a prefix, and is there before anything happened', async () => {
  const gateway = await startTestGateway({ partitions: 2 })
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  const own = [...text.matchAll(/^# HELP (sluice_\w+) (.+)$/gm)].map(([, name, help]) => ({ name, help }))
  for (const { help } of own) expect(help).toMatch(/^[A-Z].*\.$/)
  const names = own.map(({ name }) => name as string)
  expect(names).toEqual(
    expect.arrayContaining([
      'sluice_events_total',
      'sluice_decode_failures_total',
      'sluice_dead_letters_total',
      'sluice_stream_faults_total',
      'sluice_lag_records',
      'sluice_window_bytes',
      'sluice_window_events',
      'sluice_ready',
      'sluice_groups',
      'sluice_subscribers',
      'sluice_lagging_subscribers',
      'sluice_frame_log_bytes',
      'sluice_executions_total',
      'sluice_frames_total',
      'sluice_flushes_total',
      'sluice_writes_total',
      'sluice_sent_bytes_total',
      'sluice_closes_total',
    ]),
  )
  const sampled = new Set((await samples(gateway)).map((line) => line.split(/[{ ]/)[0]))
  // No resolver has run, and no topic has a codec that waits for something.
  expect(names.filter((name) => !sampled.has(name.replace(/_seconds$/, '_seconds_sum')) && !sampled.has(name))).toEqual(
    ['sluice_held_partitions', 'sluice_resolver_seconds'],
  )
})

test('the metrics count what was done: events, groups, executions, frames, writes, bytes and closes', async () => {
  // A heartbeat is a write, too.
  const gateway = await startTestGateway({ partitions: 2, env: { HEARTBEAT_MS: '600000' } })
  const streams = [
    await RawStream.subscribe(gateway.graphql, QUERY),
    await RawStream.subscribe(gateway.graphql, QUERY),
    await RawStream.subscribe(gateway.graphql, 'subscription { ordersByRegion(region: ASIA) { id } }'),
  ] as const
  await gateway.produce({}, {}, { region: 'AFRICA' })
  await streams[0].untilResults(2)
  await streams[1].untilResults(2)

  expect(await gateway.metric('sluice_ready')).toBe(1)
  expect(await gateway.metric('sluice_events_total', { topic: 'orders' })).toBe(3)
  expect(await gateway.metric('sluice_window_events', { topic: 'orders' })).toBe(3)
  expect(await gateway.metric('sluice_window_bytes', { topic: 'orders' })).toBeGreaterThan(0)
  expect(await gateway.metric('sluice_groups')).toBe(2)
  expect(await gateway.metric('sluice_subscribers')).toBe(3)
  expect(await gateway.metric('sluice_executions_total')).toBe(2)
  expect(await gateway.metric('sluice_frames_total')).toBe(2)
  expect(await gateway.metric('sluice_lagging_subscribers')).toBe(0)
  for (const partition of ['0', '1']) {
    expect(await gateway.metric('sluice_lag_records', { topic: 'orders', partition })).toBe(0)
  }
  const bytes = streams.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
  expect(await gateway.metric('sluice_sent_bytes_total')).toBe(bytes)
  // Three first blocks, and each of the two of Europe got its orders in one write or in two.
  const writes = await gateway.metric('sluice_writes_total')
  expect([5, 7]).toContain(writes)

  await streams[0].close()
  await until('it was counted as closed', async () => {
    return (await gateway.metric('sluice_closes_total', { reason: 'client' })) === 1
  })
  expect(await gateway.metric('sluice_subscribers')).toBe(2)
})

test('poison is counted by its reason, is no event, and a stream goes on over it', async () => {
  const gateway = await startTestGateway()
  const stream = await RawStream.subscribe(gateway.graphql, QUERY)
  await gateway.produce({ id: 'before' })
  await gateway.produceRaw('not JSON', '{', Buffer.from([0x22, 0xff, 0x22]), '{"id":"half an order"}', '[]')
  await gateway.produceRaw(JSON.stringify('x'.repeat(2 * 1024 * 1024)))
  await gateway.produce({ id: 'after' })
  expect(await stream.untilResults(2)).toEqual([
    { data: { ordersByRegion: { id: 'before' } } },
    { data: { ordersByRegion: { id: 'after' } } },
  ])
  const failures = (reason: string) => gateway.metric('sluice_decode_failures_total', { topic: 'orders', reason })
  expect(await failures('codec')).toBe(3)
  expect(await failures('schema')).toBe(2)
  expect(await failures('too_large')).toBe(1)
  expect(await gateway.metric('sluice_events_total', { topic: 'orders' })).toBe(2)
  expect(await gateway.metric('sluice_executions_total')).toBe(2)
})

test('values larger than MAX_EVENT_BYTES are counted and skipped, live and in the past', async () => {
  const gateway = await startTestGateway({ env: { MAX_EVENT_BYTES: '1024', WINDOW_BYTES: '65536' } })
  const stream = await RawStream.subscribe(gateway.graphql, QUERY)
  await gateway.produce({ id: 'before' }, { id: 'large', city: 'x'.repeat(1024) }, { id: 'after' })
  // They take the first ones out of the window.
  await gateway.produce(...Array.from({ length: 200 }, () => ({ region: 'ASIA' as const, city: 'x'.repeat(500) })))
  expect((await stream.untilResults(2)).map(({ data }) => data)).toEqual([
    { ordersByRegion: { id: 'before' } },
    { ordersByRegion: { id: 'after' } },
  ])
  await until('all are read', () => [...gateway.streams.feeds][0]?.events === 202)
  expect(await gateway.metric('sluice_decode_failures_total', { reason: 'too_large' })).toBe(1)
  const past = await RawStream.subscribe(
    gateway.graphql,
    'subscription { ordersByRegion(region: EUROPE, since: "2020-01-01T00:00:00Z") { id } }',
  )
  expect((await past.untilResults(2)).map(({ data }) => data)).toEqual([
    { ordersByRegion: { id: 'before' } },
    { ordersByRegion: { id: 'after' } },
  ])
  expect(await gateway.metric('sluice_replays_total', { kind: 'log' })).toBe(1)
  expect(await gateway.metric('sluice_past_bytes', { topic: 'orders' })).toBeGreaterThan(0)
})

test("the process's own metrics are there: memory, CPU and the delay of the event loop", async () => {
  const gateway = await startTestGateway()
  const response = await fetch(`${gateway.adminUrl}/metrics`)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const text = await response.text()
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    expect(text).toContain(`\n${name}{exported_instance="test"} `)
  }
})

test('a metric that cannot be read leaves the scrape without it, and is told of', async () => {
  const { log, lines } = recordedLog()
  const gateway = await startTestGateway({ log })
  for (const [what, property] of [
    [gateway.engine, 'groups'],
    [gateway.engine.shared.budget, 'used'],
  ] as const)
    Object.defineProperty(what, property, {
      get() {
        throw new Error('Broken')
      },
    })
  const response = await fetch(`${gateway.adminUrl}/metrics`)
  const text = await response.text()
  expect(response.status).toBe(200)
  expect(text).not.toMatch(/^sluice_(groups|frame_log_bytes)/m)
  expect(text).toMatch(/^sluice_ready\{.*\} 1$/m)
  expect(text).toMatch(/^nodejs_/m)
  expect(await gateway.metric('sluice_faults_total', { place: 'metrics' })).toBeGreaterThanOrEqual(2)
  expect(lines.filter(({ place }) => place === 'metrics')).toMatchObject([{ err: { message: 'Broken' } }])
})
