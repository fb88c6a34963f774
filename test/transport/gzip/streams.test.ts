import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { Subscriber } from '../../../src/delivery/group/subscriber.ts'
import { Units } from '../../../src/transport/gzip/units.ts'
import { FakeOutlet, lags, settle, startEngine } from '../../kit/engine.ts'
import { Statistics } from '../../kit/statistics.ts'
import { Tap } from './tap.ts'

const QUERIES = [
  'subscription { paint { n color again: color more: color name: __typename later kind: __typename } }',
  'subscription { paint(color: "odd") { n } }',
  'subscription { paint { n long } }',
]
const HEARTBEAT_MS = 3_200

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('paint' as const), count: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 8, arbitrary: fc.constant({ kind: 'settle' as const }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('join' as const),
        query: fc.nat(2),
        cursor: fc.boolean(),
        compressed: fc.boolean(),
        after: fc.option(fc.nat(), { nil: undefined }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('full' as const), who: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('drain' as const), who: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), who: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), who: fc.nat() }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 100, max: 6_400 }) }),
    },
  ),
  { minLength: 20, maxLength: 80, size: 'max' },
)

test('whatever a schedule does, each member decodes exactly the bytes that it would get without compression', async () => {
  const statistics = new Statistics('compressed streams', [
    'joins',
    'joins of the past',
    'stalls',
    'planned ends',
    'cuts',
    'flushes in step',
    'flushes after a heartbeat',
    'flushes alone',
    'pieces of replays',
    'own bytes',
    'in extensions',
    'beside members without compression',
  ])
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const { open, paint, engine } = startEngine({ heartbeatMs: HEARTBEAT_MS })
      const units = counted(new Units(), statistics)
      interface Member {
        readonly member: Subscriber
        readonly tap: Tap | undefined
        readonly socket: FakeOutlet
        isGone: boolean
      }
      const members: Member[] = []
      const cursors: string[] = []
      let next = 0
      const join = (query: string, compressed: boolean, cursor: boolean, after: string | undefined) => {
        const tap = compressed ? new Tap(units) : undefined
        const socket = tap?.socket ?? new FakeOutlet()
        const start = after === undefined ? {} : { start: { after } }
        open(query, { outlet: (tap ?? socket) as FakeOutlet }, { ...start, cursor })
        members.push({ member: socket.listener as Subscriber, tap, socket, isGone: false })
        statistics.count(after === undefined ? 'joins' : 'joins of the past')
        if (cursor) statistics.count('in extensions')
        if (!compressed) statistics.count('beside members without compression')
      }
      for (const query of QUERIES) join(query, true, false, undefined)
      join(QUERIES[0] as string, true, false, undefined)

      for (const step of sequence) {
        const one = 'who' in step ? (members[step.who % members.length] as Member) : undefined
        if (step.kind === 'paint') {
          paint(...Array.from({ length: step.count }, () => next++))
        } else if (step.kind === 'settle') {
          await settle()
          cursors.push(engineCursor(members))
        } else if (step.kind === 'time') {
          vi.advanceTimersByTime(step.ms)
        } else if (step.kind === 'join') {
          const after = step.after === undefined ? undefined : cursors[step.after % Math.max(1, cursors.length)]
          join(QUERIES[step.query] as string, step.compressed, step.cursor, after)
        } else if (one && !one.isGone) {
          if (step.kind === 'full') {
            one.socket.full = true
            statistics.count('stalls')
          } else if (step.kind === 'drain') {
            one.socket.full = false
            if (lags(one.member)) one.member.drained()
          } else if (step.kind === 'end') {
            one.isGone = true
            one.member.end('age')
            statistics.count('planned ends')
          } else if (step.kind === 'cut') {
            one.isGone = true
            one.socket.destroy()
            one.member.gone()
            statistics.count('cuts')
          }
        }
        for (const { tap } of members.slice(-3))
          if (tap && tap.socket.end_ === 'open') expect(tap.decoded).toBe(tap.plain)
      }
      for (const { member, socket, isGone } of members) {
        socket.full = false
        if (!isGone && lags(member)) member.drained()
      }
      await settle()
      engine.close()
      for (const { tap } of members) {
        if (!tap) continue
        expect(tap.socket.end_ === 'ended' ? tap.decodedWhole : tap.decoded).toBe(tap.plain)
      }
    }),
    { numRuns: 80 },
  )
  statistics.report()
})

/** A position that some member was told. */
function engineCursor(members: readonly { readonly socket: FakeOutlet; readonly tap: Tap | undefined }[]): string {
  const told = members[0]?.tap?.plain.match(/^id: (.+)$/gm) ?? []
  return told.at(-1)?.slice(4) ?? ''
}

function counted(units: Units, statistics: Statistics): Units {
  const encode = units.encode.bind(units)
  units.encode = (unit, bytes, sharing, history, gap) => {
    if (sharing === 'own') statistics.count('own bytes')
    else if (sharing === 'shared') statistics.count('pieces of replays')
    else if (!history) statistics.count('flushes alone')
    else statistics.count(gap === 0 ? 'flushes in step' : 'flushes after a heartbeat')
    return encode(unit, bytes, sharing, history, gap)
  }
  return units
}
