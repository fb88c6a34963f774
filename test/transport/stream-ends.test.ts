import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Control, type KeyEnd } from '../../src/admission/control/control.ts'
import type { ControlKind } from '../../src/admission/control/control-entry.ts'
import type { StreamOwner } from '../../src/admission/stream-owner.ts'
import type { CloseReason } from '../../src/delivery/outlet.ts'
import { Faults } from '../../src/errors/faults.ts'
import { StreamEnds } from '../../src/transport/stream-ends.ts'
import type { StreamSocket } from '../../src/transport/stream-socket.ts'
import { anIdentity, anOwner } from '../kit/admission.ts'
import { silentLog } from '../kit/log-lines.ts'
import { Statistics } from '../kit/statistics.ts'

interface Fake {
  readonly owner: StreamOwner
  closeReason: CloseReason | undefined
  leave(reason: CloseReason): void
}

function aStream(id: string, kind: 'token' | 'key' | 'anonymous' = 'token', name = 'Watch'): Fake {
  const owner = anOwner({ identity: anIdentity({ id, kind }), operation: { hash: 'x', name } })
  const stream: Fake = {
    owner,
    closeReason: undefined,
    leave(reason) {
      stream.closeReason = reason
    },
  }
  return stream
}

function start(streams: Iterable<Fake>) {
  const control = new Control()
  const faults = new Faults(silentLog)
  const sockets = streams as unknown as Iterable<StreamSocket>
  const ends = new StreamEnds({ control, sockets, single: [], faults })
  control.enforceBy(ends)
  const put = (kind: ControlKind, value: string) =>
    control.put({ kind, value, at: Date.now(), until: undefined, reason: undefined })
  return { control, ends, faults, put }
}

test('a look at 100,000 streams leaves the turns of the event loop to others, and finds its one', async () => {
  const streams = Array.from({ length: 100_000 }, (_, index) => aStream(`p${index}`))
  const { control, put } = start(streams)
  put('principal', 'p99999')
  let isDone = false
  const begin = performance.now()
  const ending = control.enforce().finally(() => {
    isDone = true
  })
  let turns = 0
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    turns++
  }
  expect(await ending).toBe(1)
  console.log(`100,000 streams were looked at in ${Math.round(performance.now() - begin)} ms, over ${turns} turns`)
  expect(streams.filter(({ closeReason }) => closeReason)).toEqual([streams.at(-1)])
})

test('decisions during a look share the next one, whatever their number, and each hears how many ended', async () => {
  let looks = 0
  const streams = Array.from({ length: 20_000 }, (_, index) => aStream(`p${index}`))
  const counted: Iterable<Fake> = {
    [Symbol.iterator]() {
      looks++
      return streams.values()
    },
  }
  const { control, put } = start(counted)
  put('principal', 'p1')
  const first = control.enforce()
  const later = Array.from({ length: 1_000 }, (_, index) => {
    put('principal', `p${index + 2}`)
    return control.enforce()
  })
  // The first look sees what was decided while it went on.
  const [ended, ...others] = await Promise.all([first, ...later])
  expect(looks).toBe(2)
  expect(ended + (others[0] as number)).toBe(1_001)
  expect(new Set(others).size).toBe(1)
})

test('a stream that throws as it is ended is told of, and the others end', async () => {
  const broken = aStream('acme')
  broken.leave = () => {
    throw new Error('Broken')
  }
  const other = aStream('acme')
  const { control, faults, put } = start([broken, other])
  put('principal', 'acme')
  expect(await control.enforce()).toBe(1)
  expect([other.closeReason, faults.counts]).toEqual(['revoked', { stream: 1 }])
  expect(await control.enforce()).toBe(0)
})

test('a stream ends for each of what is decided, and for nothing else', async () => {
  const statistics = new Statistics('Streams', ['revoked', 'blocked', 'expired', 'open'])
  const ids = ['a', 'b', 'c']
  const kinds = ['token', 'key', 'anonymous'] as const
  const names = ['Watch', 'Other']
  const decision = fc.record({
    kind: fc.constantFrom<ControlKind>('principal', 'key', 'operation'),
    value: fc.constantFrom(...ids, ...names),
  })
  const changed = fc.array(fc.tuple(fc.constantFrom(...ids), fc.constantFrom<KeyEnd>('revoked', 'expired')), {
    maxLength: 2,
  })
  await fc.assert(
    fc.asyncProperty(fc.array(decision, { maxLength: 3 }), changed, async (decisions, keys) => {
      const streams = ids.flatMap((id) => kinds.flatMap((kind) => names.map((name) => aStream(id, kind, name))))
      const { ends, put } = start(streams)
      for (const { kind, value } of decisions) put(kind, value)
      const isDecided = (kind: ControlKind, value: string) =>
        decisions.some((each) => each.kind === kind && each.value === value)
      const ended = await ends.enforce(new Map(keys))
      for (const { owner, closeReason } of streams) {
        const { id, kind } = owner.identity.principal
        const ofKey = kind === 'key' ? new Map(keys).get(id) : undefined
        const isRevoked =
          kind !== 'anonymous' && (isDecided('principal', id) || (kind === 'key' && isDecided('key', id)))
        const isBlocked = isDecided('operation', owner.operation?.name ?? '')
        const expected = isRevoked ? 'revoked' : (ofKey ?? (isBlocked ? 'blocked' : undefined))
        expect(closeReason).toBe(expected)
        statistics.count(expected ?? 'open')
      }
      expect(ended).toBe(streams.filter(({ closeReason }) => closeReason).length)
    }),
    { numRuns: 300 },
  )
  statistics.report()
})
