/** Connections and requests that are wrong, slow, or given up on the way. */
import { requestBytes } from '../wire.ts'
import { type Attack, repeat, SSE, subscription } from './attack.ts'

const IDLE_CONNECTIONS = 900
const SLOW_CONNECTIONS = 60
/** Slow enough for a body that has not come whole when its time is over. */
const SLOW_BYTE_MS = 700
/** A head has 15 s, a whole request 30 s, and both are looked at now and then. */
const REQUEST_LIMIT_MS = 36_000

export const idleConnections: Attack = {
  name: '900 connections that send nothing',
  // A gateway looks at its open files every few seconds.
  minMs: 6_000,
  async run(target) {
    for (let i = 0; i < IDLE_CONNECTIONS && !target.signal.aborted; i++) {
      target.connect()
      target.count('connections')
      if (i % 100 === 99) await target.pause(10)
    }
    // Held for long enough that the checks of open files come round.
    while (!target.signal.aborted) await target.pause(200)
  },
}

export const slowRequests: Attack = {
  name: 'heads and bodies that come slowly',
  besideMs: 40_000,
  async run(target) {
    const whole = requestBytes({ body: { query: `{ streams { topic } } # ${'x'.repeat(200)}` } })
    const headEnd = whole.indexOf('\r\n\r\n')
    const slow = Array.from({ length: SLOW_CONNECTIONS }, (_, i) => {
      const connection = target.connect()
      target.count('connections')
      // Half of them stop within the head, half within the body.
      let at = i % 2 === 0 ? 10 : headEnd + 6
      connection.socket.write(whole.subarray(0, at))
      // False once the gateway has given up on it.
      return () => {
        if (!connection.closed && at < whole.length - 5) connection.socket.write(whole.subarray(at, ++at))
        return !connection.closed
      }
    })
    const begin = performance.now()
    let open = slow.length
    while (!target.signal.aborted) {
      open = slow.filter((next) => next()).length
      await target.pause(SLOW_BYTE_MS)
    }
    const ms = performance.now() - begin
    if (ms > REQUEST_LIMIT_MS && open > 0)
      target.fault(`${open} requests are still waited for after ${ms.toFixed(0)} ms`)
  },
}

const TARGETS = [
  '*',
  'http://a:99999/graphql',
  'http://[::1/graphql',
  '//a:99999/graphql',
  '///graphql',
  '/graphql?query=%',
  '/graphql?query=%E0%A4%A',
  '/graphql/../graphql',
  '/%67raphql',
  '/graphql#x',
  '/graphql?\\',
  'graphql',
  'https://',
  'javascript:alert(1)',
  '/graphql?token=a&token=b',
  `/graphql?${'a'.repeat(10_000)}`,
]
const HOSTS = ['a:99999', '', ':', '[', '[::1', 'a b', 'a/b', '@', 'ä', '%', 'a:b:c', 'x'.repeat(300), '127.0.0.1:-1']

export const badTargets: Attack = {
  name: 'Host: a:99999 and targets that are no URL',
  async run(target) {
    await repeat(target, 4, 2_000, async () => {
      const { random } = target
      const query = '{ streams { topic } }'
      const path = random.chance(0.5)
        ? random.pick(TARGETS)
        : random.pick(['/graphql', `/graphql?query=${encodeURIComponent(query)}`])
      const accept = random.pick(['text/html', 'application/json', '*/*', 'text/event-stream'])
      const headers = { host: random.pick(HOSTS), accept, connection: 'close' }
      await target.ask({ path, headers, ...(random.chance(0.5) && { body: { query } }) })
    })
  },
}

export const adminPort: Attack = {
  name: 'admin port: other hosts, bare connections',
  async run(target) {
    for (let i = 0; i < 50; i++) target.connect(target.adminPort)
    await repeat(target, 2, 500, async () => {
      const { random } = target
      const path = random.pick(['/metrics', '/livez', '/readyz', '/inspect', '/', ...TARGETS])
      const method = random.pick(['GET', 'POST', 'HEAD', 'DELETE'])
      const host = random.pick(['evil.example', 'localhost', '127.0.0.1', ...HOSTS])
      const connection = target.connect(target.adminPort)
      await target.ask(
        { path, method, headers: { host, connection: 'close', 'content-length': '0' } },
        { on: connection },
      )
      connection.destroy()
    })
  },
}

/** Given up after each number of bytes, or at a moment of the answer. */
export const abortedRequests: Attack = {
  name: 'requests given up at every point',
  async run(target) {
    const requests = [
      subscription('subscription { ordersByRegion(region: OCEANIA, last: 200) { id city } }'),
      { body: { query: '{ recentOrders(last: 200) { id city } }' } },
      { headers: SSE, body: { query: '{ recentOrders(last: 200) { id } }' } },
      { method: 'PUT' },
      { path: `/graphql?query=${encodeURIComponent('subscription { iterates(kind: NEVER_YIELDS) }')}`, headers: SSE },
    ].map(requestBytes)
    await repeat(target, 8, 20_000, async () => {
      const { random } = target
      const bytes = random.pick(requests)
      const connection = target.connect()
      const whole = random.chance(0.5)
      const sent = whole ? bytes : bytes.subarray(0, random.int(bytes.length))
      connection.socket.write(random.chance(0.1) ? Buffer.concat([sent, bytes]) : sent)
      target.count('requests')
      if (whole) await target.pause(random.int(12))
      if (random.chance(0.5)) connection.socket.resetAndDestroy()
      else connection.destroy()
      await target.pause(1)
    })
  },
}
