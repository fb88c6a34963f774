import fc from 'fast-check'
import { beforeEach, expect, test, vi } from 'vitest'
import { CLOSE_REASONS, type CloseReason } from '../../src/delivery/outlet.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { bearer, believeTokens } from '../kit/pretended-tokens.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { Statistics } from '../kit/statistics.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from '../transport/probe-schema.ts'
import { SingleClient } from '../transport/single/client.ts'

const RUNS = process.env.SLUICE_LONG === '1' ? 60 : 8
const MULTIPART = 'multipart/mixed;subscriptionSpec=1.0'

beforeEach(() => {
  believeTokens()
  // No spread of expiries.
  vi.spyOn(Math, 'random').mockReturnValue(0)
})

interface Counts {
  readonly opened: number
  readonly open: number
  readonly ends: Readonly<Record<string, number>>
}

async function countsOf(gateway: TestGateway): Promise<Counts> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  const number = (name: string) => Number(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'm').exec(text)?.[1])
  const ends = text.matchAll(/^sluice_stream_ends_total\{reason="(\w+)".*\} (\d+)$/gm)
  return {
    opened: number('sluice_streams_opened_total'),
    open: number('sluice_streams'),
    ends: Object.fromEntries([...ends].map(([, reason, count]) => [reason, Number(count)])),
  }
}

const KINDS = ['distinct', 'multipart', 'gzip', 'single', 'pull'] as const
type Kind = (typeof KINDS)[number]

/** Opens a stream, and returns how its client leaves. */
async function open(gateway: TestGateway, kind: Kind, id: string): Promise<() => void> {
  const headers = { ...bearer({ id }) }
  const query = kind === 'pull' ? 'subscription { silent }' : 'subscription { orderIds }'
  if (kind === 'single') {
    const client = await SingleClient.open(gateway.graphql, headers)
    await client.ask({ method: 'POST', body: { query, extensions: { operationId: '1' } } })
    return () => client.stream.socket.destroy()
  }
  const more = {
    ...(kind === 'multipart' && { accept: MULTIPART }),
    ...(kind === 'gzip' && { 'accept-encoding': 'gzip' }),
  }
  const stream = await RawStream.subscribe(gateway.graphql, query, { headers: { ...headers, ...more } })
  return () => stream.socket.destroy()
}

/** Ends of streams, each with the reason that it is counted by. */
const ENDS: Record<string, { reason: CloseReason; act(gateway: TestGateway): Promise<unknown> }> = {
  complete: {
    reason: 'complete',
    act: (gateway) => RawStream.answer(gateway.graphql, subscription('subscription { count(to: 2) }')),
  },
  'failed source': {
    reason: 'failed',
    act: (gateway) => RawStream.answer(gateway.graphql, subscription('subscription { breaks }')),
  },
  'failed source, compressed': {
    reason: 'failed',
    act: (gateway) =>
      RawStream.answer(gateway.graphql, subscription('subscription { breaks }', { 'accept-encoding': 'gzip' })),
  },
  expired: {
    reason: 'expired',
    act: (gateway) =>
      RawStream.answer(
        gateway.graphql,
        subscription('subscription { orderIds }', bearer({ id: 'brief', expiresAt: Date.now() + 50 })),
      ),
  },
}

function subscription(query: string, headers: Record<string, string> = {}) {
  return { method: 'POST', body: { query }, headers: { accept: 'text/event-stream', ...headers } }
}

test('what was opened has ended by one reason, or is open', { timeout: 120_000 }, async () => {
  const statistics = new Statistics('ends of streams', [...KINDS, ...Object.keys(ENDS), 'left', 'revoked'])
  let run = 0
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...KINDS).map((kind) => ({ does: 'open', kind }) as const) },
    { weight: 3, arbitrary: fc.constantFrom(...Object.keys(ENDS)).map((end) => ({ does: 'end', end }) as const) },
    { weight: 2, arbitrary: fc.nat(9).map((which) => ({ does: 'leave', which }) as const) },
    { weight: 1, arbitrary: fc.nat(9).map((which) => ({ does: 'revoke', which }) as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 6, maxLength: 24 }), async (acts) => {
      run++
      const gateway = await startTestGateway({ schema: probeSchema().schema })
      const expected = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])) as Record<CloseReason, number>
      let opened = 0
      const streams: { readonly id: string; readonly leave: () => void }[] = []
      const settle = () =>
        until('each end is counted, once', async () => {
          const { opened: counted, open, ends } = await countsOf(gateway)
          expect(counted - open).toBe(Object.values(ends).reduce((a, b) => a + b, 0))
          return counted === opened && open === streams.length && JSON.stringify(ends) === JSON.stringify(expected)
        })
      for (const each of acts) {
        if (each.does === 'open') {
          const id = `client-${run}-${++opened}`
          streams.push({ id, leave: await open(gateway, each.kind, id) })
          statistics.count(each.kind)
        } else if (each.does === 'end') {
          const { reason, act } = ENDS[each.end] as (typeof ENDS)[string]
          opened++
          await act(gateway)
          expected[reason]++
          statistics.count(each.end)
        } else {
          const [stream] = streams.splice(each.which % Math.max(1, streams.length), 1)
          if (!stream) continue
          if (each.does === 'leave') {
            stream.leave()
            expected.client++
            statistics.count('left')
          } else {
            const headers = { 'content-type': 'application/json' }
            const body = JSON.stringify({ principal: stream.id })
            await fetch(`${gateway.adminUrl}/revoke`, { method: 'POST', headers, body })
            expected.revoked++
            statistics.count('revoked')
          }
        }
      }
      await settle()
      await gateway.close()
    }),
    { numRuns: RUNS, endOnFailure: true },
  )
  statistics.report()
})
