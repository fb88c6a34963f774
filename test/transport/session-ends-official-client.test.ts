import { type ClientOptions, createClient } from 'graphql-sse'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { bearer, believeTokens } from '../kit/pretended-tokens.ts'
import { until } from '../kit/until.ts'

const QUERY = 'subscription Watch { orders { id } }'
const VALID_MS = 700

interface Result {
  readonly data?: { readonly orders: { readonly id: string } } | null
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[]
}

beforeEach(() => {
  believeTokens()
  // No spread: tests of that are in expiries.test.ts.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  return () => void vi.restoreAllMocks()
})

/** Subscribes with graphql-sse's client, which makes its headers again for each attempt. */
function subscribe({ graphql }: TestGateway, singleConnection: boolean, headers: () => Record<string, string>) {
  let opened = 0
  const options: ClientOptions<boolean> = {
    url: graphql,
    singleConnection,
    headers,
    retryAttempts: Number.POSITIVE_INFINITY,
    retry: async () => {},
    on: { connected: () => void opened++ },
  }
  const client = createClient(options)
  onTestFinished(() => client.dispose())
  const came: (string | undefined)[] = []
  const ends: unknown[] = []
  client.subscribe<NonNullable<Result['data']>>(
    { query: QUERY },
    {
      next: (result) => {
        const { data, errors } = result as Result
        came.push(errors?.[0]?.extensions?.code ?? data?.orders.id)
      },
      error: (error) => ends.push(error),
      complete: () => ends.push('complete'),
    },
  )
  return { came, ends, opened: () => opened }
}

describe.each([
  ['distinct connections mode', false],
  ['single connection mode', true],
])('the official client in %s', (_mode, isSingle) => {
  test('is told of an expiry, and goes on with its next token', async () => {
    const gateway = await startTestGateway({ env: { AUTH_CLOCK_TOLERANCE_MS: '0' } })
    const expiresAt = Date.now() + VALID_MS
    const token = () => bearer({ id: 'acme', expiresAt: Date.now() < expiresAt - 50 ? expiresAt : expiresAt + 60_000 })
    const { came, ends } = subscribe(gateway, isSingle, token)
    await until('it subscribes', () => gateway.engine.subscribers === 1)
    await gateway.produce({ id: 'first' })
    await until('it was told', () => came.length === 2)
    await until('it subscribes again', () => gateway.engine.subscribers === 1)
    await gateway.produce({ id: 'second' })
    await until('it goes on', () => came.length === 3)
    expect([came, ends]).toEqual([['first', 'SESSION_EXPIRED', 'second'], []])
  })

  test.each([
    ['/revoke', { principal: 'acme' }, 'REVOKED'],
    ['/block', { operation: 'Watch' }, 'OPERATION_BLOCKED'],
  ])('is told by %s, completes, and does not come back', async (path, body, code) => {
    const gateway = await startTestGateway()
    const { came, ends, opened } = subscribe(gateway, isSingle, () => bearer({ id: 'acme' }))
    await until('it subscribes', () => gateway.engine.subscribers === 1)
    await gateway.produce({ id: 'first' })
    await until('an order came', () => came.length === 1)
    const headers = { 'content-type': 'application/json' }
    await fetch(`${gateway.adminUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    await until('it completes', () => ends.length === 1)
    expect([came, ends, opened()]).toEqual([['first', code], ['complete'], 1])
  })
})
