import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Candidates } from '../../../src/streams/feed/candidates.ts'
import { Conditions } from '../../../src/streams/feed/conditions.ts'
import { InterestIndex } from '../../../src/streams/feed/interest-index.ts'
import { newest } from '../../../src/streams/feed/newest.ts'
import { Window } from '../../../src/streams/feed/window.ts'
import type { Selection } from '../../../src/streams/topic/where.ts'
import { Rates } from '../../kit/rates.ts'
import { isMet, isSelected } from '../../kit/selection.ts'
import { Statistics } from '../../kit/statistics.ts'
import { eventOf, KINDS, ORDERED, type OrderedName, type Sample, sample, samples, selection } from './samples.ts'

/** Selections by ranges, lists and alternatives, held against what they plainly mean. */

function formOf(condition: unknown): string {
  if (typeof condition !== 'object' || condition === null || condition instanceof Date) return 'one value'
  if ('in' in condition) return Array.isArray(condition.in) && condition.in.length > 0 ? 'list' : 'empty list'
  const names = Object.keys(condition)
  if (names.length !== 2) return names.length === 1 ? (names[0] as string) : 'many bounds'
  return names.join(' ')
}

/** Asks of an event each condition by itself. */
function askEach(wanted: Selection<Sample>, value: Sample, rates: Rates): void {
  rates.ask(Array.isArray(wanted) ? 'alternatives' : 'one where', isSelected(wanted, value, KINDS))
  const wheres = Array.isArray(wanted) ? wanted : [wanted]
  for (const where of wheres) {
    for (const [name, condition] of Object.entries(where)) {
      const kind = KINDS[name as OrderedName]
      if (formOf(condition) !== 'empty list')
        rates.ask(`${kind ?? 'indexed'} ${formOf(condition)}`, isMet(condition, value[name as keyof Sample], kind))
    }
  }
}

const FORMS = ['gt', 'gte', 'lt', 'lte', 'gte lt', 'gt lt', 'gt lte', 'gte lte']
const TELLING = [
  'one where',
  'alternatives',
  'indexed one value',
  'indexed list',
  ...['number', 'decimal', 'instant'].flatMap((kind) => FORMS.map((form) => `${kind} ${form}`)),
]

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), selection }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('match' as const), value: sample }) },
  ),
  { minLength: 10, maxLength: 80, size: 'max' },
)

test('the index finds by ranges and alternatives what a scan finds, while interests come and go', () => {
  const statistics = new Statistics('ranges', [
    'match of none',
    'match of several',
    'nothing selected',
    'several alternatives',
    'several alternatives met',
    'two ranges',
    'range and equality',
    'range that nothing meets',
    'a value without an order',
    'emptied',
  ])
  const rates = new Rates('match rates')
  fc.assert(
    fc.property(steps, (sequence) => {
      const index = new InterestIndex<Sample, number>(samples)
      const present = new Map<number, { selection: Selection<Sample>; remove: () => void }>()
      let next = 0
      for (const step of sequence) {
        if (step.kind === 'add') {
          present.set(next, { selection: step.selection, remove: index.add(step.selection, next) })
          next++
          countForms(step.selection, statistics)
        } else if (step.kind === 'remove' && present.size > 0) {
          const [name, { remove }] = [...present][step.which % present.size] as [number, { remove: () => void }]
          remove()
          if (step.which % 2) remove()
          present.delete(name)
        } else if (step.kind === 'match') {
          const event = eventOf(step.value)
          const found: number[] = []
          index.match(event, (name) => found.push(name))
          const scanned = [...present].filter(([, { selection }]) => isSelected(selection, step.value, KINDS))
          expect(found.toSorted((one, other) => one - other)).toEqual(scanned.map(([name]) => name))
          for (const [name, { selection }] of present) {
            expect(new Conditions(samples, selection).meets(event)).toBe(found.includes(name))
            askEach(selection, step.value, rates)
            const met = (Array.isArray(selection) ? selection : []).filter((one) => isSelected(one, step.value, KINDS))
            if (met.length > 1) statistics.count('several alternatives met')
          }
          if (found.length === 0) statistics.count('match of none')
          if (found.length > 1) statistics.count('match of several')
          if (ORDERED.some((name) => Number.isNaN(samples.ordered.get(name)?.read(event))))
            statistics.count('a value without an order')
        }
        expect(index.size).toBe(present.size)
      }
      for (const { remove } of present.values()) remove()
      expect([index.size, index.branches]).toEqual([0, 0])
      statistics.count('emptied')
    }),
    { numRuns: 1000 },
  )
  statistics.report()
  rates.report(TELLING)
})

function countForms(wanted: Selection<Sample>, statistics: Statistics): void {
  const { alternatives } = new Conditions(samples, wanted)
  if (alternatives.length === 0) statistics.count('nothing selected')
  if (alternatives.length > 1) statistics.count('several alternatives')
  if (alternatives.some(({ ranges }) => ranges.length > 1)) statistics.count('two ranges')
  if (alternatives.some(({ ranges, equalities }) => ranges.length > 0 && equalities.length > 0))
    statistics.count('range and equality')
  const wheres = Array.isArray(wanted) ? wanted : [wanted]
  if (alternatives.length < wheres.length) statistics.count('range that nothing meets')
}

const pushes = fc.array(fc.record({ value: sample, wait: fc.constantFrom(0, 0, 0, 300) }), {
  minLength: 20,
  maxLength: 120,
  size: 'max',
})

test('the past of a window is selected as a scan of it would, while events are evicted', async () => {
  const statistics = new Statistics('the past by ranges and alternatives', [
    'every event a candidate',
    'some candidates',
    'no candidate',
    'all candidates selected',
    'candidates that are not selected',
    'alternatives with postings',
    'evicted',
    'share of the candidates, as estimated',
    'share of the candidates, over-estimated',
  ])
  const rates = new Rates('match rates')
  await fc.assert(
    fc.asyncProperty(pushes, fc.array(selection, { minLength: 3, maxLength: 8 }), async (pushed, selections) => {
      const window = new Window<Sample>({ maxBytes: 1e9, maxAgeMs: 2000 }, samples.indexed)
      // Each keeps its place while the window changes.
      const all = selections.map((wanted) => ({ wanted, candidates: new Candidates<Sample>(samples, wanted) }))
      let now = 0
      for (const [n, { value, wait }] of pushed.entries()) {
        now += wait
        window.push(eventOf(value, { offset: n }), now)
        if (n % 10 !== 0 && n !== pushed.length - 1) continue
        const { firstSeq, nextSeq, postings } = window
        const held = Array.from({ length: nextSeq - firstSeq }, (_, i) => window.at(firstSeq + i)?.value as Sample)
        if (firstSeq > 0) statistics.count('evicted')
        for (const { wanted, candidates } of all) {
          const up: number[] = []
          for (let seq = candidates.next(postings, firstSeq, nextSeq); seq < nextSeq; ) {
            up.push(seq)
            seq = candidates.next(postings, seq + 1, nextSeq)
          }
          const down: number[] = []
          for (let seq = candidates.previous(postings, nextSeq, firstSeq); seq >= firstSeq; ) {
            down.push(seq)
            seq = candidates.previous(postings, seq, firstSeq)
          }
          expect(down.reverse()).toEqual(up)
          const met = held.flatMap((value, i) => (isSelected(wanted, value, KINDS) ? [firstSeq + i] : []))
          expect(up.filter((seq) => candidates.meets(window.at(seq) as never))).toEqual(met)
          const found = await newest(window, 3, () => true, candidates)
          expect(found.events.map(({ value }) => value)).toEqual(met.slice(-3).map((seq) => window.at(seq)?.value))
          for (const value of held) askEach(wanted, value, rates)

          const share = candidates.share(postings) * held.length
          expect(share).toBeGreaterThanOrEqual(up.length * 0.999)
          statistics.count(`share of the candidates, ${share > up.length + 0.1 ? 'over-estimated' : 'as estimated'}`)
          if (up.length === held.length) statistics.count('every event a candidate')
          else statistics.count(up.length === 0 ? 'no candidate' : 'some candidates')
          statistics.count(met.length === up.length ? 'all candidates selected' : 'candidates that are not selected')
          if (candidates.isNarrow && Array.isArray(wanted) && wanted.length > 1)
            statistics.count('alternatives with postings')
        }
      }
    }),
    { numRuns: 150 },
  )
  statistics.report()
  rates.report(TELLING)
})
