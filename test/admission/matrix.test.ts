/**
 * The matrix of admission: each of its rules, by each way in. The ways are compared with what the gateway has registered,
 * so that a route, a method or a media type that is added without a request here fails.
 */
import { describe, expect, test } from 'vitest'
import { SERVED } from '../../src/protocol/accept.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { RULES, USUAL_TEXTS } from './matrix/rules.ts'
import { type Asked, verdictOf, WAYS, type Way } from './matrix/ways.ts'

/** Rules of parts that are not there yet: empty once they are. */
const PENDING: ReadonlySet<string> = new Set([
  'no credentials',
  'wrong credentials',
  'a token that has expired',
  'a revoked principal',
  'a cookie from another site',
  'a field without its scope',
  'a filter by a field without its scope',
  'a merchant beyond its bounds',
  'a blocked operation',
  'a second stream of one principal',
])

async function reserve(gateway: TestGateway, { headers }: Asked): Promise<string> {
  return (await RawStream.answer(gateway.graphql, { method: 'PUT', headers })).body
}

/** The cursor of where a stream begins now. */
async function cursorOf(gateway: TestGateway, { headers, subscription }: Asked): Promise<string> {
  const stream = await RawStream.subscribe(gateway.graphql, subscription, { headers })
  await stream.untilBlocks(1)
  await stream.close()
  return stream.blocks[0]?.id ?? ''
}

const names = Object.keys(WAYS)

async function verdicts(
  gateway: TestGateway,
  asked: Asked,
  tokens: ReadonlyMap<string, string>,
  holds: (way: Way) => boolean,
) {
  const all: Record<string, string> = {}
  for (const [name, way] of Object.entries(WAYS)) {
    if (holds(way)) all[name] = await verdictOf(gateway, way.request(asked, tokens.get(name) ?? ''))
  }
  return all
}

async function reserveAll(gateway: TestGateway, asked: Asked): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>()
  for (const [name, way] of Object.entries(WAYS)) if (way.reserved) tokens.set(name, await reserve(gateway, asked))
  return tokens
}

describe('every rule holds for every way in, with the same verdict', () => {
  for (const [name, rule] of Object.entries(RULES)) {
    test.skipIf(PENDING.has(name))(name, async () => {
      const { env, good = {}, bad = {}, breaks } = await rule.prepare()
      const gateway = await startTestGateway({ env: { INSTANCE_ID: 'matrix', ...env } })
      const nothing: Asked = { headers: {}, extensions: {}, ...USUAL_TEXTS, cursor: '', ...good }
      const usual = { ...nothing, cursor: await cursorOf(gateway, nothing) }

      const passed = await verdicts(gateway, usual, await reserveAll(gateway, usual), () => true)
      expect(passed).toEqual(Object.fromEntries(names.map((way) => [way, 'OK'])))

      const tokens = await reserveAll(gateway, usual)
      await breaks?.(gateway)
      const refused = await verdicts(gateway, { ...usual, ...bad }, tokens, rule.holds)
      const expected = Object.entries(WAYS)
        .filter(([, way]) => rule.holds(way))
        .map(([way, { mediaType, method, request }]) => {
          const isEventSource =
            method === 'GET' && (mediaType === 'text/event-stream' || isInUrl(request(usual, 'x').search))
          return [way, rule.retries && isEventSource ? 'retry' : rule.code]
        })
      expect(expected.length).toBeGreaterThan(0)
      expect(refused).toEqual(Object.fromEntries(expected))
    })
  }

  const isInUrl = (search = ''): boolean => search.startsWith('?token=')
})

describe('every way in has a request here', () => {
  test('every route of the gateway', async () => {
    const gateway = await startTestGateway()
    expect(new Set(Object.values(WAYS).map(({ route }) => route))).toEqual(new Set(gateway.routes))
  })

  test('every method of a route that serves operations', () => {
    const pairs = new Set(Object.values(WAYS).map(({ route, method }) => `${method} ${route}`))
    for (const pair of ['GET operation', 'POST operation', 'GET single', 'POST single', 'PUT reserve', 'DELETE stop']) {
      expect(pairs).toContain(pair)
    }
  })

  test('every media type of an answer', () => {
    const types = Object.values(WAYS).flatMap(({ route, mediaType }) =>
      route === 'operation' && mediaType ? [mediaType] : [],
    )
    expect(new Set(types)).toEqual(new Set(SERVED))
  })
})
