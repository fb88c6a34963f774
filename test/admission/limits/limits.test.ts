import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Limits, type StreamRoom } from '../../../src/admission/limits/limits.ts'
import { type QuotaConfig, quotasOf } from '../../../src/admission/limits/quotas.ts'
import type { LimitRefusal } from '../../../src/admission/limits/share.ts'
import { NOBODY } from '../../../src/admission/principal.ts'
import { SluiceError } from '../../../src/errors/codes.ts'
import { ANYBODY, anIdentity, anOwner, aPrincipal } from '../../kit/admission.ts'
import { Statistics } from '../../kit/statistics.ts'

const CONFIG: QuotaConfig = {
  MAX_STREAMS_PER_PRINCIPAL: 3,
  MAX_STREAMS_PER_ADDRESS: 5,
  NEW_STREAMS_PER_PRINCIPAL: 2,
  NEW_STREAMS_PER_ADDRESS: 4,
  MAX_GROUPS_PER_PRINCIPAL: 2,
}

function limitsWith(config: Partial<QuotaConfig> = {}, maxStreams = 100) {
  const clock = { now: 1_000 }
  const refused: LimitRefusal[] = []
  const limits = new Limits({
    quotas: quotasOf({ ...CONFIG, ...config }, maxStreams),
    now: () => clock.now,
    onRefused: (refusal) => refused.push(refusal),
  })
  return { limits, clock, refused }
}

const by = (id: string, address = '192.0.2.1') => anOwner({ identity: anIdentity({ id }), address })
const from = (address: string) => anOwner({ identity: ANYBODY, address })

/** The error's code, limit and message. */
function refusalOf(act: () => unknown): { limit: unknown; message: string; retryAfterMs: number } | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'RATE_LIMITED') throw error
    expect(error.status).toBe(429)
    return { limit: error.details.limit, message: error.message, retryAfterMs: error.retryAfterMs ?? Number.NaN }
  }
}

test('streams of a principal and of an address are those that are open, whatever opens and closes', () => {
  const statistics = new Statistics('streams', ['taken', 'refused by principal', 'by address', 'by rate', 'released'])
  const acts = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('open' as const),
        id: fc.constantFrom(undefined, 'a', 'b', 'c'),
        address: fc.constantFrom('192.0.2.1', '192.0.2.2', '127.0.0.1'),
      }),
      fc.record({ kind: fc.constant('close' as const), which: fc.nat(20) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(100) }),
    ),
    { minLength: 60, maxLength: 200, size: 'max' },
  )
  fc.assert(
    fc.property(acts, (list) => {
      const { limits, clock } = limitsWith({ NEW_STREAMS_PER_PRINCIPAL: 1, NEW_STREAMS_PER_ADDRESS: 1 })
      const open: { id: string | undefined; address: string; room: StreamRoom }[] = []
      for (const act of list) {
        if (act.kind === 'wait') clock.now += act.ms
        else if (act.kind === 'close') {
          const [closed] = open.splice(act.which % Math.max(1, open.length), 1)
          closed?.room.release()
          if (closed) statistics.count('released')
        } else {
          const { id, address } = act
          const ofPrincipal = open.filter((each) => each.id === id).length
          const ofAddress = open.filter((each) => each.address === address).length
          const refusal = refusalOf(() => {
            open.push({ id, address, room: limits.takeStream(id === undefined ? from(address) : by(id, address)) })
          })
          if (id !== undefined && ofPrincipal >= 3) expect(refusal?.limit).toBe('principal_streams')
          else if (ofAddress >= 5) expect(refusal?.limit).toBe('address_streams')
          else if (refusal) expect(refusal.limit).toMatch(/^(principal|address)_new_streams$/)
          const kind = refusal ? String(refusal.limit) : 'taken'
          statistics.count(
            kind === 'principal_streams'
              ? 'refused by principal'
              : kind === 'address_streams'
                ? 'by address'
                : refusal
                  ? 'by rate'
                  : kind,
          )
        }
      }
    }),
    { numRuns: 400 },
  )
  statistics.report()
})

describe('streams', () => {
  test('are refused with a sentence that names the client, the limit, its variable, and when to come back', () => {
    const { limits, refused } = limitsWith()
    for (let count = 0; count < 3; count++) limits.takeStream(by('acme', `192.0.2.${count}`))
    const refusal = refusalOf(() => limits.takeStream(by('acme', '192.0.2.9')))
    expect(refusal?.message).toBe(
      'The principal "acme" has 3 open streams, as many as it may have on this instance (MAX_STREAMS_PER_PRINCIPAL)',
    )
    expect(refusal?.retryAfterMs).toBeGreaterThanOrEqual(10_000)
    expect(refused).toMatchObject([{ reason: 'principal_streams', principal: { id: 'acme' }, address: '192.0.2.9' }])
    expect(limits.refusals.principal_streams).toBe(1)
  })

  test('beyond the rate may be opened when the next one comes back, as the error says', () => {
    const { limits, clock } = limitsWith({ NEW_STREAMS_PER_PRINCIPAL: 1, MAX_STREAMS_PER_PRINCIPAL: 1_000 })
    // The burst is the streams that it may have: all of them come back at once after a deploy.
    for (let count = 0; count < 1_000; count++)
      limits.takeStream(by('acme', `10.0.${count >> 8}.${count & 255}`)).release()
    const refusal = refusalOf(() => limits.takeStream(by('acme', '192.0.2.1')))
    expect(refusal?.limit).toBe('principal_new_streams')
    expect(refusal?.retryAfterMs).toBeGreaterThanOrEqual(1_000)
    expect(refusal?.retryAfterMs).toBeLessThanOrEqual(2_000)
    clock.now += 1_000
    limits.takeStream(by('acme', '192.0.2.1'))
    expect(refusalOf(() => limits.demandStream(by('acme', '192.0.2.1')))?.limit).toBe('principal_new_streams')
  })

  test('of one principal are refused while others open theirs', () => {
    const { limits } = limitsWith()
    for (let count = 0; count < 3; count++) limits.takeStream(by('greedy', `192.0.2.${count}`))
    expect(refusalOf(() => limits.takeStream(by('greedy', '192.0.2.9')))).toBeDefined()
    limits.takeStream(by('friendly', '192.0.2.9'))
  })

  test('that only look are not counted', () => {
    const { limits } = limitsWith()
    for (let count = 0; count < 100; count++) limits.demandStream(by('acme'))
    limits.takeStream(by('acme'))
  })

  test('a key and a token of one name are two principals', () => {
    const { limits } = limitsWith()
    for (let count = 0; count < 3; count++) limits.takeStream(by('acme', `192.0.2.${count}`))
    limits.takeStream(anOwner({ identity: anIdentity({ id: 'acme', kind: 'key' }), address: '192.0.2.9' }))
  })
})

describe('addresses of the machine itself', () => {
  const local = ['127.0.0.1', '127.1.2.3', '0:0:0:0::/64', 'unix']

  test('have no limit where none is configured for addresses: they may be a proxy for everybody', () => {
    const { limits } = limitsWith({ MAX_STREAMS_PER_ADDRESS: undefined, NEW_STREAMS_PER_ADDRESS: undefined }, 10)
    for (const address of local) {
      for (let count = 0; count < 20_000; count++) {
        limits.demandRequest(NOBODY, address)
        limits.takeStream(from(address))
        limits.takeReservation(from(address))
      }
      expect(limits.shareOf(from(address))).toBeUndefined()
    }
    // Of another one: half of all streams.
    for (let count = 0; count < 5; count++) limits.takeStream(from('192.0.2.1'))
    expect(refusalOf(() => limits.takeStream(from('192.0.2.1')))?.limit).toBe('address_streams')
  })

  test.each(local)('have those that are configured: %s', (address) => {
    const { limits } = limitsWith({ NEW_STREAMS_PER_ADDRESS: undefined })
    for (let count = 0; count < 5; count++) limits.takeStream(from(address)).release()
    for (let count = 0; count < 5; count++) limits.takeStream(from(address))
    expect(refusalOf(() => limits.takeStream(from(address)))?.limit).toBe('address_streams')
  })

  test('do not exempt a principal from its own', () => {
    const { limits } = limitsWith({ MAX_STREAMS_PER_ADDRESS: undefined, NEW_STREAMS_PER_ADDRESS: undefined })
    for (let count = 0; count < 3; count++) limits.takeStream(by('acme', '127.0.0.1'))
    expect(refusalOf(() => limits.takeStream(by('acme', '127.0.0.1')))?.limit).toBe('principal_streams')
  })
})

test('requests beyond the rate are refused, and those are not counted', () => {
  const { limits, clock } = limitsWith()
  const principal = aPrincipal({ id: 'acme' })
  let taken = 0
  while (!refusalOf(() => limits.demandRequest(principal, '192.0.2.1'))) taken++
  expect(taken).toBe(5_000)
  for (let count = 0; count < 1_000; count++) refusalOf(() => limits.demandRequest(principal, '192.0.2.1'))
  clock.now += 2
  limits.demandRequest(principal, '192.0.2.1')
  limits.demandRequest(aPrincipal({ id: 'other' }), '192.0.2.1')
})

describe('CPU time for preparing operations', () => {
  /** Takes as long as it says, by the process's clock. */
  const busy = (ms: number) => () => {
    const end = performance.now() + ms
    while (performance.now() < end);
    return 'prepared'
  }
  const fail = (ms: number) => {
    busy(ms)()
    throw new TypeError('cannot be prepared')
  }

  test('is charged, and a client that has used its own is refused until some is back, also where preparing throws', () => {
    const { limits, clock } = limitsWith()
    const prepare = (id: string, act: () => unknown) => limits.preparing(aPrincipal({ id }), '192.0.2.1', act)
    let prepared = 0
    let refusal: ReturnType<typeof refusalOf>
    while (!refusal && prepared < 100) {
      refusal = refusalOf(() => {
        if (prepared % 2 === 0) prepare('greedy', busy(50))
        else {
          try {
            prepare('greedy', () => fail(50))
          } catch (error) {
            if (!(error instanceof TypeError)) throw error
          }
        }
      })
      if (!refusal) prepared++
    }
    expect(refusal?.message).toContain('The principal "greedy" has used the CPU time')
    expect(limits.refusals.principal_preparing).toBe(1)
    // 1,000 ms of 50 ms each; a machine under load may take longer for each.
    expect(prepared).toBeGreaterThan(1)
    expect(prepared).toBeLessThanOrEqual(22)
    expect(prepare('friendly', busy(1))).toBe('prepared')
    clock.now += 60_000
    expect(prepare('greedy', busy(1))).toBe('prepared')
  })
})

describe('what counts for one client', () => {
  test('is that of its principal, or of its address if it is anonymous', () => {
    const { limits } = limitsWith()
    const shareOf = (owner: ReturnType<typeof by>) => limits.shareOf(owner)
    expect(shareOf(by('a', '192.0.2.1'))?.client).toBe(shareOf(by('a', '192.0.2.2'))?.client)
    expect(shareOf(by('a'))?.client).not.toBe(shareOf(by('b'))?.client)
    expect(shareOf(from('192.0.2.1'))?.client).toBe(shareOf(from('192.0.2.1'))?.client)
    expect(shareOf(from('192.0.2.1'))?.client).not.toBe(shareOf(from('192.0.2.2'))?.client)
  })

  test('groups are refused beyond their limit, until one has ended', () => {
    const { limits } = limitsWith()
    const share = limits.shareOf(by('acme'))
    const releases = [share?.takeGroup(), limits.shareOf(by('acme'))?.takeGroup()]
    expect(share?.mayCreateGroup).toBe(false)
    expect(refusalOf(() => share?.demandGroup())?.message).toContain('2 different subscriptions')
    limits.shareOf(by('other'))?.demandGroup()
    releases[1]?.()
    share?.demandGroup()
  })

  test('replays wait for their CPU time, and are not refused', () => {
    const { limits, clock } = limitsWith()
    const share = limits.shareOf(by('acme'))
    expect(share?.waitMs).toBe(0)
    share?.charge(2_100)
    // 101 ms at 100 ms a second, with jitter.
    expect(share?.waitMs).toBeGreaterThanOrEqual(1_000)
    expect(share?.waitMs).toBeLessThanOrEqual(2_100)
    expect(limits.shareOf(by('other'))?.waitMs).toBe(0)
    clock.now += 1_020
    expect(share?.waitMs).toBe(0)
  })

  test('an account with a debt is that of its client still, whatever other keys come', () => {
    const { limits, clock } = limitsWith()
    limits.shareOf(by('greedy'))?.charge(1e6)
    for (let count = 0; count < 100_000; count++, clock.now += 0.01)
      limits.demandRequest(aPrincipal({ id: `made up ${count}` }), `10.${count >> 16}.${count >> 8}.${count & 255}`)
    expect(limits.shareOf(by('greedy'))?.waitMs).toBeGreaterThan(0)
    expect(limits.bytes).toBeLessThanOrEqual(32 * 1024 * 1024)
  })
})
