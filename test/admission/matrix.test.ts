/**
 * The matrix of admission: each of its rules, by each way in. The ways are compared with what the gateway has
 * registered, so that a route, a method or a media type that is added without a request here fails.
 */
import { describe, expect, test } from 'vitest'
import { SERVED } from '../../src/protocol/accept.ts'
import type { RouteName } from '../../src/server/endpoint.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { RULES, USUAL_TEXTS } from './matrix/rules.ts'
import { type Asked, verdictOf, WAYS, type Way } from './matrix/ways.ts'

/** The cursor of where a stream begins now. */
async function cursorOf(gateway: TestGateway, { headers, subscription }: Asked): Promise<string> {
  const stream = await RawStream.subscribe(gateway.graphql, subscription, { headers })
  await stream.untilBlocks(1)
  await stream.close()
  return stream.blocks[0]?.id ?? ''
}

/** The ways of routes that the gateway has. */
function waysOf(gateway: TestGateway): [name: string, way: Way][] {
  return Object.entries(WAYS).filter(([, { route, needs }]) => {
    return gateway.routes.includes(needs === 'ticket' ? ('ticket' as RouteName) : (route as RouteName))
  })
}

/** What ways need that begin with something: a reservation, or a ticket for the operation. */
async function tokensFor(gateway: TestGateway, asked: Asked): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>()
  const { headers, extensions, subscription: query } = asked
  for (const [name, { needs }] of waysOf(gateway)) {
    if (needs === 'reservation') {
      tokens.set(name, (await RawStream.answer(gateway.graphql, { method: 'PUT', headers })).body)
    } else if (needs === 'ticket') {
      const request = { method: 'POST', headers, body: { query, extensions } }
      tokens.set(name, (await RawStream.answer(`${gateway.url}/ticket`, request)).json.ticket)
    }
  }
  return tokens
}

type Tokens = ReadonlyMap<string, string>

async function verdicts(gateway: TestGateway, asked: Asked, tokens: Tokens, holds: (way: Way) => boolean) {
  const all: Record<string, string> = {}
  for (const [name, way] of waysOf(gateway)) {
    if (holds(way)) all[name] = await verdictOf(gateway, way, asked, tokens.get(name) ?? '')
  }
  return all
}

/** A native EventSource gives up at any status but 200: a refusal that passes is an end that it comes back from. */
function isEventSource({ method, mediaType, request }: Way, asked: Asked): boolean {
  return (
    method === 'GET' &&
    (mediaType === 'text/event-stream' || request(asked, 'x').search?.startsWith('?token=') === true)
  )
}

describe('every rule holds for every way in, with the same verdict', () => {
  for (const [name, rule] of Object.entries(RULES)) {
    test(name, async () => {
      const { env, good = {}, bad = {}, breaks } = await rule.prepare()
      const gateway = await startTestGateway({ env: { INSTANCE_ID: 'matrix', ...env } })
      const nothing: Asked = { headers: {}, extensions: {}, ...USUAL_TEXTS, cursor: '', ...good }
      const usual = { ...nothing, cursor: await cursorOf(gateway, nothing) }
      const broken = { ...usual, ...bad }

      const passed = await verdicts(gateway, usual, await tokensFor(gateway, usual), () => true)
      expect(passed).toEqual(Object.fromEntries(waysOf(gateway).map(([way]) => [way, 'OK'])))

      // A ticket carries its operation and its credentials: it is refused for what changes afterwards.
      const holds = (way: Way) => rule.holds(way) && (way.needs !== 'ticket' || breaks !== undefined)
      const tokens = await tokensFor(gateway, breaks ? broken : usual)
      await breaks?.(gateway)
      const refused = await verdicts(gateway, broken, tokens, holds)
      const expected = waysOf(gateway)
        .filter(([, way]) => holds(way))
        .map(([way, parts]) => [way, rule.retries && isEventSource(parts, usual) ? 'retry' : rule.code])
      expect(expected.length).toBeGreaterThan(0)
      expect(refused).toEqual(Object.fromEntries(expected))
    })
  }
})

describe('every way in has a request here', () => {
  test('every route of the gateway', async () => {
    const gateway = await startTestGateway()
    const known = new Set<string>(Object.values(WAYS).map(({ route }) => route))
    expect(gateway.routes.filter((route) => !known.has(route))).toEqual([])
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
