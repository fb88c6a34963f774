import { once } from 'node:events'
import { expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { addressOf, describeNginx } from '../kit/nginx.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

const HANDSHAKE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
  'sec-websocket-protocol': 'graphql-transport-ws',
}
const REFUSED = {
  errors: [
    {
      message:
        'There is no WebSocket here: subscribe by GraphQL over SSE, POST /graphql with accept: text/event-stream',
      extensions: { code: 'WEBSOCKET_NOT_SERVED' },
    },
  ],
}

test.each(['/graphql', '/graphql?query={__typename}', '/graphql?token=x', '/', '/subscriptions', '/ticket', '/a/b?c'])(
  'a handshake at %s is told what to use, and its connection is closed',
  async (target) => {
    const gateway = await startTestGateway()
    const lines = Object.entries({ host: 'x', ...HANDSHAKE }).map(([name, value]) => `${name}: ${value}\r\n`)
    // Frames that a client sends without waiting are no requests.
    const frame = Buffer.from([0x81, 0x85, 1, 2, 3, 4, 0x69, 0x67, 0x6f, 0x68, 0x6e])
    const request = Buffer.concat([Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`), frame])
    const answer = await RawStream.write(gateway.url, request)
    await answer.untilEnd()
    expect([answer.status, answer.headers.connection]).toEqual([400, 'close'])
    expect(answer.json).toEqual(REFUSED)
    expect(answer.received.match(/HTTP\/1\.1/g)).toHaveLength(1)
    await until(
      'its socket is not counted any more',
      async () => (await gateway.metric('sluice_connections', { port: 'graphql' })) === 0,
    )
  },
)

test.each([
  ['of another case', { connection: 'keep-alive, Upgrade', upgrade: 'WebSocket' }],
  ['with a version', { connection: 'Upgrade', upgrade: 'websocket/13' }],
  ['among others', { connection: 'Upgrade', upgrade: 'h2c, websocket' }],
  ['whose hop-by-hop headers a proxy took away', { 'sec-websocket-key': 'x', 'sec-websocket-version': '13' }],
  ['that a browser sends', { ...HANDSHAKE, accept: 'text/html', origin: 'https://elsewhere.example' }],
  ['with a token', { ...HANDSHAKE, 'x-graphql-event-stream-token': 'x' }],
])('so is one %s', async (_what, headers) => {
  const gateway = await startTestGateway()
  const answer = await RawStream.answer(gateway.graphql, { headers })
  expect([answer.status, answer.json]).toEqual([400, REFUSED])
})

test.each([
  ['h2c', { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' }],
  ['TLS', { connection: 'Upgrade', upgrade: 'TLS/1.0' }],
])('an upgrade to %s is ignored', async (_what, headers) => {
  const gateway = await startTestGateway()
  const answer = await RawStream.answer(gateway.graphql, { headers, search: '?query={__typename}' })
  expect([answer.status, answer.json]).toEqual([200, { data: { __typename: 'Query' } }])
})

test('a real client of WebSockets hears at once that there is none, hundreds of times, and leaves nothing behind', async () => {
  const gateway = await startTestGateway()
  const url = gateway.graphql.replace('http:', 'ws:')
  for (let n = 0; n < 100; n++) {
    const socket = new WebSocket(url, 'graphql-transport-ws')
    const [event] = await once(socket, 'error')
    expect(event.type).toBe('error')
  }
  await until('nothing is open', async () => (await gateway.metric('sluice_connections', { port: 'graphql' })) === 0)
})

describeNginx('behind Nginx', (nginx) => {
  test('a handshake is told the same', async () => {
    const gateway = await startTestGateway()
    const front = await nginx.start({ instances: [{ name: 'test', address: addressOf(gateway.url) }] })
    const response = await fetch(front.graphql, {
      headers: { 'sec-websocket-key': 'x', 'sec-websocket-version': '13' },
    })
    expect([response.status, await response.json()]).toEqual([400, REFUSED])
    const socket = new WebSocket(front.graphql.replace('https:', 'wss:'), 'graphql-transport-ws')
    await once(socket, 'error')
  })
})
