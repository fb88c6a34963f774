import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { createClient, fetchExchange } from '@urql/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frame, NO_CURSOR } from '../../src/protocol/framing.ts'
import {
  IN_PARTS,
  IN_PARTS_WITH_CURSORS,
  IN_PLAIN_PARTS,
  onceInParts,
  onceInPlainParts,
} from '../../src/protocol/multipart.ts'
import { partsOf } from '../kit/parts.ts'
import { Statistics } from '../kit/statistics.ts'
import { until } from '../kit/until.ts'

const HEAD = '\r\ncontent-type: application/json\r\n\r\n'

/** Text that looks like what is around it. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'\n\r\u2028\u2029\u0085\0:"\\ aé😀', '\ud800') }),
  fc.constantFrom('\r\n--graphql', '--graphql--\r\n', HEAD, '{"payload":null}', '}\r\n--graphql'),
)
const item = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('result' as const), text }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'heartbeat' as const }) },
)
const sequence = fc.array(item, { maxLength: 12 })
/** Where the body is cut into chunks, as parts of its length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

const resultOf = (value: string): string => JSON.stringify({ data: { text: value } })
const framed = (json: string): Buffer => frame(IN_PARTS.results, NO_CURSOR, Buffer.from(json))

function chunksOf(body: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...at.map((part) => Math.round(part * body.length)).sort((a, b) => a - b), body.length]
  return places.slice(1).map((place, i) => body.subarray(places[i], place))
}

function responseOf(chunks: readonly Uint8Array[], contentType: string): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': contentType } })
}

describe('the bytes', () => {
  test('the first boundary is there before any part, and each part is written with the boundary behind it', () => {
    expect(IN_PARTS.opening(1234, 'AQ').toString()).toBe('--graphql')
    expect(framed('{"data":1}').toString()).toBe(`${HEAD}{"payload":{"data":1}}\r\n--graphql`)
    expect(IN_PARTS.heartbeat('AQ').toString()).toBe(`${HEAD}{}\r\n--graphql`)
    expect(IN_PARTS.moved('AQ')).toEqual(IN_PARTS.heartbeat('AQ'))
    expect(IN_PARTS.retry(1)).toHaveLength(0)
  })

  test('a complete operation ends with a null payload, an interrupted stream with an error beside it; both are closed', () => {
    expect(IN_PARTS.complete.toString()).toBe(`${HEAD}{"payload":null}\r\n--graphql--\r\n`)
    const { parts, isClosed } = partsOf(`--graphql${IN_PARTS.interrupted(700)}`)
    expect(parts).toEqual([
      {
        payload: null,
        errors: [{ message: expect.any(String), extensions: { code: 'STREAM_INTERRUPTED', retryAfterMs: 700 } }],
      },
    ])
    expect(isClosed).toBe(true)
  })

  test('positions are in the extensions where they were asked for, from the start', () => {
    const body = Buffer.concat([
      IN_PARTS_WITH_CURSORS.opening(1234, 'AQ'),
      frame(IN_PARTS_WITH_CURSORS.results, Buffer.from('AR'), Buffer.from('{"data":{"a":1}}')),
      frame(IN_PARTS_WITH_CURSORS.results, NO_CURSOR, Buffer.from('{"data":{"a":2}}')),
      IN_PARTS_WITH_CURSORS.moved('AS'),
      IN_PARTS_WITH_CURSORS.heartbeat('AS'),
      IN_PARTS_WITH_CURSORS.caughtUp('AS'),
    ])
    expect(partsOf(body.toString()).parts).toEqual([
      { payload: { extensions: { cursor: 'AQ' } } },
      { payload: { data: { a: 1 }, extensions: { cursor: 'AR' } } },
      { payload: { data: { a: 2 } } },
      { payload: { extensions: { cursor: 'AS' } } },
      {},
      { payload: { extensions: { caughtUp: true, cursor: 'AS' } } },
    ])
    expect(IN_PARTS_WITH_CURSORS.opening(1, undefined).toString()).toBe('--graphql')
  })

  test('to other readers of parts heartbeats are white space, and one result is the only part', () => {
    expect(IN_PLAIN_PARTS.results).toBe(IN_PARTS.results)
    expect(IN_PLAIN_PARTS.heartbeat('AQ').toString()).toBe(' ')
    expect(partsOf(onceInPlainParts('{"data":1}').toString())).toEqual({
      parts: [{ payload: { data: 1 } }],
      isClosed: true,
    })
    const body = Buffer.concat([
      IN_PLAIN_PARTS.opening(1, undefined),
      IN_PLAIN_PARTS.heartbeat(undefined),
      framed('{"data":1}'),
    ])
    expect(partsOf(`${body} ${IN_PLAIN_PARTS.complete}`)).toEqual({
      parts: [{ payload: { data: 1 } }, { payload: null }],
      isClosed: true,
    })
  })

  test('one result is a part, then the end', () => {
    expect(partsOf(onceInParts('{"data":1}').toString())).toEqual({
      parts: [{ payload: { data: 1 } }, { payload: null }],
      isClosed: true,
    })
  })

  test('a frame has its result unchanged, and is written at its place only', () => {
    fc.assert(
      fc.property(text, fc.stringMatching(/^[\w-]{0,40}$/), (value, cursor) => {
        for (const { results } of [IN_PARTS, IN_PARTS_WITH_CURSORS]) {
          const [position, json] = [Buffer.from(cursor), Buffer.from(resultOf(value))]
          const size = results.sizeOf(position, json)
          const target = Buffer.alloc(size + 8, '.')
          expect(results.write(target, 4, position, json)).toBe(4 + size)
          expect(target.subarray(4 + size).toString()).toBe('....')
          const block = target.subarray(4, 4 + size)
          if (results.jsonIn) expect(results.jsonIn(block)).toEqual(json)
        }
      }),
    )
  })
})

describe('any sequence of results comes back, wherever the body is cut into chunks', () => {
  type Item = { kind: 'result'; text: string } | { kind: 'heartbeat' }
  const bytesOf = (items: readonly Item[], framing: typeof IN_PARTS): Buffer =>
    Buffer.concat([
      framing.opening(1, undefined),
      ...items.map((each) => (each.kind === 'result' ? framed(resultOf(each.text)) : framing.heartbeat('AQ'))),
      framing.complete,
    ])
  const textsOf = (items: readonly Item[]) => items.flatMap((each) => (each.kind === 'result' ? [each.text] : []))
  const count = (statistics: Statistics, items: readonly Item[], chunks: number) => {
    const texts = textsOf(items)
    if (texts.length === 0) statistics.count('without results')
    if (texts.length < items.length) statistics.count('with heartbeats')
    if (texts.some((each) => each.includes('--graphql'))) statistics.count('a boundary within a result')
    if (chunks > 3) statistics.count('many chunks')
  }
  const CASES = ['without results', 'with heartbeats', 'a boundary within a result', 'many chunks']

  test('to a reader that follows RFC 2046, at once: a part needs nothing that comes after it', () => {
    const statistics = new Statistics('parts, by the RFC', CASES)
    fc.assert(
      fc.property(sequence, cuts, (items, at) => {
        const body = bytesOf(items, IN_PARTS)
        count(statistics, items, at.length + 1)
        expect(partsOf(body.toString())).toEqual({
          parts: [
            ...items.map((each) => (each.kind === 'result' ? { payload: JSON.parse(resultOf(each.text)) } : {})),
            { payload: null },
          ],
          isClosed: true,
        })
        let so = '--graphql'
        let parts = 0
        for (const each of items) {
          so += each.kind === 'result' ? framed(resultOf(each.text)) : IN_PARTS.heartbeat(undefined)
          expect(partsOf(so).parts).toHaveLength(++parts)
        }
      }),
    )
    statistics.report()
  })

  test("to Apollo Client's HttpLink", async () => {
    const statistics = new Statistics("parts, by Apollo's link", CASES)
    const query = gql`subscription { text }`
    await fc.assert(
      fc.asyncProperty(sequence, cuts, async (items, at) => {
        const chunks = chunksOf(bytesOf(items, IN_PARTS), at)
        count(statistics, items, chunks.length)
        const type = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        const link = new HttpLink({ uri: 'http://gateway/graphql', fetch: async () => responseOf(chunks, type) })
        const client = new ApolloClient({ link, cache: new InMemoryCache() })
        const told: unknown[] = []
        await new Promise<void>((resolve, reject) => {
          ApolloLink.execute(link, { query }, { client }).subscribe({
            next: (result) => told.push(result.data?.text),
            error: reject,
            complete: resolve,
          })
        })
        expect(told).toEqual(textsOf(items))
      }),
    )
    statistics.report()
  })

  test('to urql', async () => {
    const statistics = new Statistics('parts, by urql', CASES)
    await fc.assert(
      fc.asyncProperty(sequence, cuts, async (items, at) => {
        const chunks = chunksOf(bytesOf(items, IN_PLAIN_PARTS), at)
        count(statistics, items, chunks.length)
        const fetch = async () => responseOf(chunks, 'multipart/mixed;boundary="graphql"')
        const client = createClient({
          url: 'http://gateway/graphql',
          preferGetMethod: false,
          fetchSubscriptions: true,
          exchanges: [fetchExchange],
          fetch,
        })
        const told: { text?: string; hasNext: boolean }[] = []
        const { unsubscribe } = client.subscription('subscription { text }', {}).subscribe((result) => {
          told.push({ text: result.data?.text, hasNext: result.hasNext })
        })
        await until('urql has told the end', () => told.at(-1)?.hasNext === false)
        unsubscribe()
        // urql gives the last result again for a part without one, and at the end; or an error where there was none.
        const texts = textsOf(items)
        const rest = texts.length > 0 ? [texts.at(-1), texts.at(-1)] : [undefined]
        expect(told.map((each) => each.text)).toEqual([...texts, ...rest])
      }),
    )
    statistics.report()
  })
})
