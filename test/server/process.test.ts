import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { ended, listening, logged, main, type Run } from '../kit/main-process.ts'
import { RawStream, requestBytes } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

test('--check-config of a valid configuration says so, starts nothing and ends with 0', async () => {
  const run = main(['--check-config'])
  expect(await ended(run)).toEqual({ code: 0, signal: null })
  expect([run.out, run.err]).toEqual(['The configuration is valid\n', ''])
})

test('--check-config of an invalid one ends with 1 and one line', async () => {
  const run = main(['--check-config'], { PORT: 'http' })
  expect(await ended(run)).toEqual({ code: 1, signal: null })
  expect([run.out, run.err]).toEqual(['', 'PORT wants a whole number from 0 to 65535, and got "http"\n'])
})

test('an invalid configuration stops the start with one line, without a password', async () => {
  const run = main([], { KAFKA_SASL_PASSWORD: 'hunter2', KAFKA_SASL_MECHANISM: 'magic' })
  expect(await ended(run)).toEqual({ code: 1, signal: null })
  expect(run.err.trimEnd().split('\n')).toHaveLength(1)
  expect(run.out + run.err).not.toContain('hunter2')
})

test('--check-config tells of all errors, a line each, and of a name that is misspelt', async () => {
  const run = main(['--check-config'], { NODE_ENV: 'production', KAFKA_BROKER: 'a:9092', MAX_STREAMS: 'x' })
  expect(await ended(run)).toEqual({ code: 1, signal: null })
  expect(run.err.trimEnd().split('\n')).toEqual([
    'MAX_STREAMS wants a whole number from 1 to 1000000, and got "x"',
    'Production wants to know who gets in: AUTH_JWKS_URL, AUTH_KEY_FILE or API_KEYS_FILE, or ANONYMOUS=true for everybody',
    expect.stringMatching(/^Production wants a log to serve: KAFKA_BROKERS .* or DEMO_RATE /),
    'KAFKA_BROKER is no variable of this gateway: is KAFKA_BROKERS meant?',
  ])
})

test('in production nothing is served without a log: the start is refused with a sentence', async () => {
  const run = main([], { NODE_ENV: 'production', ANONYMOUS: 'true' })
  expect(await ended(run)).toEqual({ code: 1, signal: null })
  expect([run.out, run.err]).toEqual(['', expect.stringMatching(/^Production wants a log to serve: .*\n$/)])
})

test('a misspelt name that changes nothing of what is served is a warning', async () => {
  const warning = 'WINDOW_BYTE is no variable of this gateway: is WINDOW_BYTES meant?'
  const env = { NODE_ENV: 'production', ANONYMOUS: 'true', DEMO_RATE: '1', WINDOW_BYTE: '1' }
  const check = main(['--check-config'], env)
  expect(await ended(check)).toEqual({ code: 0, signal: null })
  expect([check.out, check.err]).toEqual(['The configuration is valid\n', `Warning: ${warning}\n`])
  const run = main([], env)
  await listening(run)
  expect(logged(run)[0]).toMatchObject({ level: 40, msg: warning })
})

test('an unknown option is one line too', async () => {
  const run = main(['--chekc-config'])
  expect(await ended(run)).toEqual({ code: 1, signal: null })
  expect(run.err).toMatch(/^Unknown option '--chekc-config'/)
  expect(run.err).not.toMatch(/\n\s+at /)
})

test('--help tells how it is used', async () => {
  const run = main(['--help'])
  expect(await ended(run)).toEqual({ code: 0, signal: null })
  expect(run.out).toMatch(/^Usage: npm start/)
})

test.each(['PORT', 'ADMIN_PORT'])('a %s that is taken stops the start with one line that names it', async (name) => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const run = main([], { [name]: String(port), DEMO_RATE: '0' })
  expect(await ended(run)).toEqual({ code: 1, signal: null })
  expect(logged(run).map(({ msg }) => msg)).toEqual([`Something else listens at 127.0.0.1:${port} already`])
  expect(run.err).toBe('')
})

test('SIGTERM ends the process with 0, and open streams with a retry and without complete', async () => {
  const run = main([], { DEMO_RATE: '50' })
  const { graphql } = await listening(run)
  let stream: RawStream | undefined
  await until('a stream is open', async () => {
    stream = await RawStream.subscribe(graphql, 'subscription { ordersByRegion(region: EUROPE) { id } }')
    return stream.status === 200
  })
  await stream?.untilResults(3)
  run.child.kill('SIGTERM')
  await stream?.untilEnd()
  expect(stream?.body.endsWith('\n\n')).toBe(true)
  expect(stream?.blocks.at(-1)).toEqual({ retry: expect.stringMatching(/^\d+$/) })
  expect(stream?.body).not.toContain('event: complete')
  expect(await ended(run)).toEqual({ code: 0, signal: null })
  expect(logged(run).map(({ msg }) => msg)).toEqual([
    'Sluice is listening',
    'Reading',
    'Reading',
    'Stopping',
    'Draining',
    'Drained',
    'Stopped',
  ])
})

test.each([
  ['SIGTERM', 'SIGTERM'],
  ['SIGTERM', 'SIGINT'],
] as const)('%s, and then %s while it drains, ends the process at once, with 1', async (first, second) => {
  const run = await drainingRun(first, { DRAIN_MS: '600000' })
  expect(run.ended).toBeUndefined()
  await until('it takes the second for one of its own', () => {
    run.child.kill(second)
    return run.ended !== undefined
  })
  expect(run.ended).toEqual({ code: 1, signal: null })
})

test('what is not over in DRAIN_MS and 10 s more is ended as it is, with 1', async () => {
  const run = await drainingRun('SIGTERM', { DRAIN_MS: '0' })
  expect(await ended(run)).toEqual({ code: 1, signal: null })
  expect(logged(run).at(-1)).toMatchObject({ level: 50, msg: 'Not stopped within 10000 ms: ending as it is' })
})

/** A process that drains, and does not come to an end: a request never does. */
async function drainingRun(signal: NodeJS.Signals, env: Record<string, string>): Promise<Run> {
  const run = main([], { DEMO_RATE: '0', ...env })
  const { graphql } = await listening(run)
  const bytes = requestBytes(graphql, { method: 'POST', body: { query: '{ __typename }' } })
  // It came before the stream, and so has its head been read by then.
  await RawStream.write(graphql, bytes.slice(0, -10))
  const stream = await RawStream.subscribe(graphql, 'subscription { ordersByRegion(region: EUROPE) { id } }')
  expect(stream.status).toBe(200)
  run.child.kill(signal)
  await until('it drains', () => run.out.includes('"Draining"'))
  return run
}

test('it serves admin pages on a port of their own, and says where', async () => {
  const run = main([], { DEMO_RATE: '0' })
  const { admin } = await listening(run)
  expect(await (await fetch(`${admin}/livez`)).text()).toBe('live\n')
})

test('an unreachable Kafka does not stop the start, nor the end', async () => {
  const run = main([], { KAFKA_BROKERS: '127.0.0.1:1' })
  const { admin } = await listening(run)
  expect((await fetch(`${admin}/readyz`)).status).toBe(503)
  run.child.kill('SIGTERM')
  expect(await ended(run)).toEqual({ code: 0, signal: null })
  expect(run.err).toBe('')
})
