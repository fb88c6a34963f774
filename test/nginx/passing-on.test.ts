import { describe, expect, onTestFinished, test } from 'vitest'
import { Child } from '../../deploy/stack/child.ts'
import { describeNginx } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { type Behaviour, startStub } from './stub-gateway.ts'

const JSON_BODY = { 'content-type': 'application/json' }
const MUTATION = JSON.stringify({ query: 'mutation { pay }' })
/** Three of these are how long an instance may be silent. */
const HEARTBEAT_MS = 300
const SILENCE_MS = 3 * HEARTBEAT_MS

const cuts: Behaviour = (request) => void request.socket.destroy()
const isSilent: Behaviour = () => {}
const isFull: Behaviour = (_request, response) => void response.writeHead(503).end('full')
const breaksOff: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-length': '100' }).write('half')
  setImmediate(() => response.destroy())
}

/**
 * What a request comes to that a failing instance gets first: the answer of the other one, or one that is not passed on;
 * and how often each of the two has seen it.
 */
const CASES: [method: string, status: number, what: string, does: Behaviour, seen: [number, number]][] = [
  ['GET', 200, 'reads it and cuts the connection', cuts, [1, 1]],
  ['PUT', 200, 'reads it and cuts the connection', cuts, [1, 1]],
  ['DELETE', 200, 'reads it and cuts the connection', cuts, [1, 1]],
  ['POST', 502, 'reads it and cuts the connection', cuts, [1, 0]],
  ['GET', 200, 'reads it and never answers', isSilent, [1, 1]],
  ['POST', 504, 'reads it and never answers', isSilent, [1, 0]],
  ['GET', 503, 'answers 503', isFull, [1, 0]],
  ['POST', 503, 'answers 503', isFull, [1, 0]],
  ['GET', 200, 'breaks off in its answer', breaksOff, [1, 0]],
]

describeNginx('a request that an instance fails', (nginx) => {
  const request = (url: string, method: string) =>
    fetch(url, { method, ...(method === 'POST' && { body: MUTATION, headers: JSON_BODY }) })

  /** The first of two idle instances gets the first request: they are tried in order. */
  async function startPair(does: Behaviour) {
    const failing = await startStub('failing', { does })
    const healthy = await startStub('healthy')
    const instances = [failing.instance, healthy.instance]
    return { failing, healthy, front: await nginx.start({ instances, heartbeatMs: HEARTBEAT_MS, workers: 1 }) }
  }

  test.each(CASES)('which is a %s, is answered %i where the instance %s', async (method, status, _what, does, seen) => {
    const { failing, healthy, front } = await startPair(does)
    const answer = await request(front.graphql, method)
    expect(answer.status).toBe(status)
    await answer.text().catch(() => 'broken off')
    expect([failing.seen.length, healthy.seen.length]).toEqual(seen)
  })

  test.each(['GET', 'POST', 'PUT', 'DELETE'])('because nothing listens there any more goes on: %s', async (method) => {
    for (const socket of [undefined, nginx.socket(method)]) {
      const gone = await startStub('gone', socket === undefined ? {} : { socket })
      const there = await startStub('there')
      const front = await nginx.start({ instances: [gone.instance, there.instance] })
      await gone.close()
      for (let i = 0; i < 20; i++) {
        const answer = await request(front.graphql, method)
        expect([answer.status, await answer.text()]).toEqual([200, 'there'])
      }
      expect(there.seen.length).toBe(20)
      await until('the log tells of it', () =>
        front.accessLog().some(({ upstream_status }) => upstream_status === '502, 200'),
      )
    }
  })

  test('a mutation reaches one instance, once, however each of them fails it', async () => {
    for (const does of [cuts, isSilent, isFull, breaksOff]) {
      const stubs = [await startStub('a', { does }), await startStub('b', { does }), await startStub('c', { does })]
      const instances = stubs.map(({ instance }) => instance)
      const front = await nginx.start({ instances, heartbeatMs: HEARTBEAT_MS })
      await Promise.all(
        Array.from({ length: 12 }, async (_each, i) => {
          const body = JSON.stringify({ query: `mutation { pay(number: ${i}) }` })
          const answer = await fetch(front.graphql, { method: 'POST', body, headers: JSON_BODY })
          await answer.text().catch(() => 'broken off')
        }),
      )
      const bodies = stubs.flatMap(({ seen }) => seen.map(({ body }) => body))
      expect([bodies.length, new Set(bodies).size]).toEqual([12, 12])
    }
  })

  test('with one that fails it left alone for a while, and one request in 10 s to look', async () => {
    const { failing, front } = await startPair(isSilent)
    const startedAt = performance.now()
    expect(await (await request(front.graphql, 'GET')).text()).toBe('healthy')
    expect(performance.now() - startedAt).toBeGreaterThan(SILENCE_MS - 50)
    for (let i = 0; i < 50; i++) expect(await (await request(front.graphql, 'GET')).text()).toBe('healthy')
    expect(failing.seen.length).toBe(1)
  })

  test('is tried again where every instance has failed lately: no "no live upstreams" while one is there', async () => {
    const socket = nginx.socket('restarted')
    const first = await startStub('first', { socket })
    const second = await startStub('second')
    const front = await nginx.start({ instances: [first.instance, second.instance] })
    await first.close()
    expect(await (await request(front.graphql, 'POST')).text()).toBe('second')
    // The first is back, and the second goes, all within the 10 s for which both count as failed.
    const again = await startStub('first', { socket })
    await second.close()
    for (let i = 0; i < 20; i++) expect(await (await request(front.graphql, 'POST')).text()).toBe('first')
    await again.close()
    const answer = await request(front.graphql, 'POST')
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([502, '5'])
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_READY' } }] })
  })
})

describeNginx('an instance that is frozen (SIGSTOP)', (nginx) => {
  describe.each(['unix socket', 'port'])('at a %s', (kind) => {
    test('holds a new request no longer than three heartbeats, and then none', async () => {
      const socket = kind === 'unix socket' ? nginx.socket('frozen') : undefined
      const frozen = await startFrozen(socket)
      const healthy = await startStub('healthy')
      const instances = [{ name: 'frozen', address: frozen.address }, healthy.instance]
      const front = await nginx.start({ instances, heartbeatMs: HEARTBEAT_MS })
      const longest = { GET: 0, POST: 0 }
      const statuses = { GET: new Set<number>(), POST: new Set<number>() }
      // A burst while nobody knows yet: half of it goes to the frozen one.
      await Promise.all(
        Array.from({ length: 40 }, async (_each, i) => {
          const method = i % 2 ? 'GET' : 'POST'
          const at = performance.now()
          const answer = await fetch(front.graphql, {
            method,
            ...(method === 'POST' && { body: MUTATION, headers: JSON_BODY }),
          })
          await answer.text()
          longest[method] = Math.max(longest[method], performance.now() - at)
          statuses[method].add(answer.status)
        }),
      )
      expect(statuses).toEqual({ GET: new Set([200]), POST: new Set([200, 504]) })
      expect(longest.GET).toBeGreaterThan(SILENCE_MS - 50)
      expect(Math.max(longest.GET, longest.POST)).toBeLessThan(SILENCE_MS + 3_000) // a busy machine
      const at = performance.now()
      for (let i = 0; i < 30; i++) expect((await fetch(front.graphql)).status).toBe(200)
      expect(performance.now() - at).toBeLessThan(SILENCE_MS)
      console.log(`frozen at a ${kind}: GET at most ${longest.GET.toFixed()} ms, POST ${longest.POST.toFixed()} ms`)
    })
  })

  /** A real process, so that the kernel takes connections for it while it answers nothing. */
  async function startFrozen(socket: string | undefined) {
    const script = `require('node:http').createServer((_, r) => r.end('thawed'))
      .listen(${socket ? JSON.stringify(socket) : "0, '127.0.0.1'"}, function () { console.log('at', JSON.stringify(this.address())) })`
    const child = new Child({ name: 'the frozen one', program: process.execPath, args: ['-e', script] })
    onTestFinished(() => child.stop('SIGKILL', 0))
    const at = () => /at (.+)/.exec(child.epitaph)?.[1]
    await until('it listens', () => at() !== undefined)
    child.signal('SIGSTOP')
    const address = JSON.parse(at()!) as string | { port: number }
    return { address: typeof address === 'string' ? `unix:${address}` : `127.0.0.1:${address.port}` }
  }
})
