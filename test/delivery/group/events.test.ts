import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { FakeOutlet, settle, startEngine } from '../../kit/engine.ts'
import { Statistics } from '../../kit/statistics.ts'

const ALL = 'subscription { paint { n } }'

const acts = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('paint' as const), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('full' as const), which: fc.nat(3) }),
    fc.record({ kind: fc.constant('drain' as const), which: fc.nat(3) }),
    fc.record({ kind: fc.constant('join' as const), from: fc.nat(100) }),
    fc.record({ kind: fc.constant('leave' as const), which: fc.nat(3) }),
  ),
  { minLength: 5, maxLength: 40 },
)

test('a client knows how many results it was written, live, from the past, and after a while with a full outlet', async () => {
  const statistics = new Statistics('results of a client', ['live', 'from the past', 'lagged', 'left', 'was written'])
  await fc.assert(
    fc.asyncProperty(acts, async (list) => {
      const { open, feed, paint, engine } = startEngine()
      const members: ReturnType<typeof open>[] = []
      let painted = 0
      const all: ReturnType<typeof open>[] = []
      for (const act of list) {
        const one = 'which' in act ? members[act.which % Math.max(1, members.length)] : undefined
        if (act.kind === 'paint') paint(...Array.from({ length: act.count }, () => painted++))
        else if (act.kind === 'join') {
          const past = act.from < 70 && painted > 0
          statistics.count(past ? 'from the past' : 'live')
          const start = past ? { start: { after: feed.cursorAt([act.from % painted]) } } : {}
          const joined = open(ALL, { outlet: new FakeOutlet() }, start)
          members.push(joined)
          all.push(joined)
        } else if (one && act.kind === 'full') one.outlet.full = true
        else if (one && act.kind === 'drain') {
          if (one.outlet.full) statistics.count('lagged')
          one.outlet.full = false
          one.member.drained()
        } else if (one) {
          statistics.count('left')
          one.member.gone()
          members.splice(members.indexOf(one), 1)
        }
        await settle()
        for (const { outlet, member } of all) {
          const written = outlet.results.length
          expect(member.events).toBe(written)
          statistics.count('was written', written > 0 ? 1 : 0)
        }
      }
      engine.close()
      vi.useRealTimers()
    }),
    { numRuns: 60 },
  )
  statistics.report()
})
