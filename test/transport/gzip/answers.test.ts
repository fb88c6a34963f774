import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { startTestGateway } from '../../kit/gateway.ts'
import { until } from '../../kit/until.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly bytes: Buffer
  readonly text: string
}

/** An answer as it is on the wire, decoded if it says so. */
async function ask(url: string, headers: Record<string, string>, body?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const asked = request(url, { method: body === undefined ? 'GET' : 'POST', headers }, async (response) => {
    try {
      const bytes = Buffer.concat(await response.toArray())
      const isCoded = response.headers['content-encoding'] === 'gzip'
      const text = (isCoded ? gunzipSync(bytes) : bytes).toString()
      resolve({ status: response.statusCode, headers: response.headers, bytes, text })
    } catch (error) {
      reject(error)
    }
  })
  asked.on('error', reject)
  asked.end(body)
  return await promise
}

const GZIP = { 'accept-encoding': 'gzip' }
const JSON_BODY = { 'content-type': 'application/json' }
const SSE = { accept: 'text/event-stream' }
const query = (text: string) => JSON.stringify({ query: text })
const LONG = query(`{ ${Array.from({ length: 100 }, (_each, i) => `field${i}: __typename`).join(' ')} }`)
const SHORT = query('{ __typename }')

describe('answers of plain HTTP', () => {
  test('are compressed above a size, for those who accept it, and say that it depends', async () => {
    const { graphql } = await startTestGateway()
    const plain = await ask(graphql, JSON_BODY, LONG)
    const coded = await ask(graphql, { ...JSON_BODY, ...GZIP }, LONG)
    expect(coded.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-length': String(coded.bytes.length) })
    expect(coded.text).toBe(plain.text)
    expect(coded.bytes.length).toBeLessThan(plain.bytes.length / 3)
    for (const { headers } of [plain, coded]) expect(headers.vary).toMatch(/Accept-Encoding/i)
    const short = await ask(graphql, { ...JSON_BODY, ...GZIP }, SHORT)
    expect([short.headers['content-encoding'], short.text]).toEqual([undefined, '{"data":{"__typename":"Query"}}'])
  })

  test('in every form: a result as an event stream, a refusal, an HTTP error, a large result, a page', async () => {
    const gateway = await startTestGateway()
    const { graphql } = gateway
    await gateway.produce(...Array.from({ length: 500 }, () => ({ city: 'Z\u00fcrich'.repeat(30) })))
    await until(
      'they are there',
      async () => (await gateway.metric('sluice_window_events', { topic: 'orders' })) === 500,
    )
    const many = query('{ recentOrders(last: 500) { id city country total { amount currency } } }')
    const invalid = query(`{ ${Array.from({ length: 40 }, (_each, i) => `nothing${i}`).join(' ')} }`)
    const cases: [string, Record<string, string>, string | undefined][] = [
      ['a large result', JSON_BODY, many],
      ['a result as an event stream', { ...JSON_BODY, ...SSE }, LONG],
      ['a large one', { ...JSON_BODY, ...SSE }, many],
      ['a refusal', { ...JSON_BODY, accept: 'application/graphql-response+json' }, invalid],
      ['a refusal as an event stream', { ...JSON_BODY, ...SSE }, invalid],
      ['GraphiQL', { accept: 'text/html' }, undefined],
    ]
    for (const [name, headers, body] of cases) {
      const plain = await ask(graphql, headers, body)
      const coded = await ask(graphql, { ...headers, ...GZIP }, body)
      expect(coded.headers['content-encoding'], name).toBe('gzip')
      expect([coded.status, coded.text === plain.text], name).toEqual([plain.status, true])
      expect(coded.bytes.length, name).toBeLessThan(plain.bytes.length / 2)
    }
  })

  test('are compressed whatever their size, where plain bytes are not acceptable', async () => {
    const { graphql } = await startTestGateway()
    const only = { 'accept-encoding': 'gzip, identity;q=0' }
    const result = await ask(graphql, { ...JSON_BODY, ...only }, SHORT)
    expect([result.headers['content-encoding'], result.text]).toEqual(['gzip', '{"data":{"__typename":"Query"}}'])
    const error = await ask(`${graphql}x`, only)
    expect([error.status, error.headers['content-encoding']]).toEqual([404, 'gzip'])
    expect(JSON.parse(error.text).errors[0].extensions.code).toBe('NOT_FOUND')
    const token = await new Promise<string>((resolve, reject) => {
      const put = request(graphql, { method: 'PUT', headers: only }, async (response) => {
        resolve(gunzipSync(Buffer.concat(await response.toArray())).toString())
      })
      put.on('error', reject).end()
    })
    // A stream of several operations is not compressed.
    const stream = await ask(graphql, { ...SSE, ...only, 'x-graphql-event-stream-token': token })
    expect([stream.status, JSON.parse(stream.text).errors[0].extensions.code]).toEqual([406, 'NOT_ACCEPTABLE'])
  })

  test('are refused, where neither gzip nor plain bytes are acceptable', async () => {
    const { graphql } = await startTestGateway()
    for (const headers of [JSON_BODY, { ...JSON_BODY, ...SSE }]) {
      const { status, text } = await ask(graphql, { ...headers, 'accept-encoding': 'br, identity;q=0' }, SHORT)
      expect([status, JSON.parse(text).errors[0].extensions.code]).toEqual([406, 'NOT_ACCEPTABLE'])
    }
  })

  test('who leaves while an answer is compressed harms nothing, and what was held is released', async () => {
    const gateway = await startTestGateway()
    await gateway.produce(...Array.from({ length: 1_000 }, () => ({ city: 'x'.repeat(1_000) })))
    await until('they are there', async () => (await gateway.metric('sluice_window_events', { topic: 'orders' })) > 900)
    const body = query('{ recentOrders(last: 1000) { city } }')
    for (let round = 0; round < 20; round++) {
      const asked = request(gateway.graphql, { method: 'POST', headers: { ...JSON_BODY, ...GZIP } })
      asked.on('error', () => {})
      asked.end(body)
      await delay(round)
      asked.destroy()
    }
    expect((await ask(gateway.graphql, { ...JSON_BODY, ...GZIP }, SHORT)).status).toBe(200)
    await until('nothing is held', async () => (await gateway.metric('sluice_answer_bytes')) === 0)
  })
})

describe('COMPRESSION', () => {
  test('off: whatever a client accepts, it gets plain bytes', async () => {
    const { graphql } = await startTestGateway({ env: { COMPRESSION: 'off' } })
    for (const coding of ['gzip', 'gzip, identity;q=0', 'br, identity;q=0']) {
      const { status, headers } = await ask(graphql, { ...JSON_BODY, 'accept-encoding': coding }, LONG)
      expect([status, headers['content-encoding'], headers.vary]).toEqual([200, undefined, undefined])
    }
  })

  test('anonymous: clients without credentials get compressed bytes', async () => {
    const { graphql } = await startTestGateway({ env: { COMPRESSION: 'anonymous' } })
    expect((await ask(graphql, { ...JSON_BODY, ...GZIP }, LONG)).headers['content-encoding']).toBe('gzip')
  })
})
