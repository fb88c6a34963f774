import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Filter } from '../../../src/streams/filter/filter.ts'
import { type Plan, planOf } from '../../../src/streams/filter/plan.ts'
import type { Selection, Where } from '../../../src/streams/topic/where.ts'
import { Statistics } from '../../kit/statistics.ts'
import { filters, tests } from './filters.ts'
import { interpret } from './interpret.ts'
import { isFound } from './lookups.ts'
import { selections } from './selections.ts'
import { events, type Sale, sales } from './shop.ts'

function alternativesOf(selection: Selection<Sale>): readonly Where<Sale>[] {
  return Array.isArray(selection) ? selection : [selection as Where<Sale>]
}

/**
 * Whether a plan takes an event, where bounds of its lookups are exact; or are doubles, by which the index searches, and
 * finds no less.
 */
function takes({ selection, test: passes }: Plan<Sale>, value: unknown, isExact: boolean): boolean {
  return isFound(selection, value, isExact) && (passes ? passes(value as Sale) : true)
}

test('what is looked up and tested is what a plain interpreter takes, and each operator matches as often as not', () => {
  const statistics = new Statistics('plans of one condition', ['pairs', 'looked up', 'looked up only', 'nothing'])
  const rates = new Map<string, { taken: number; asked: number }>()
  fc.assert(
    fc.property(
      fc.array(tests, { minLength: 8, maxLength: 8 }),
      fc.array(events, { minLength: 30, maxLength: 30 }),
      (conditions, values) => {
        for (const { name, test: condition } of conditions) {
          const plan = planOf(condition, sales)
          const rate = rates.get(name) ?? { taken: 0, asked: 0 }
          rates.set(name, rate)
          const alternatives = alternativesOf(plan.selection)
          if (alternatives.length === 0) statistics.count('nothing')
          else if (Object.keys(alternatives[0] as object).length > 0) {
            statistics.count('looked up')
            if (!plan.test) statistics.count('looked up only')
          }
          for (const value of values) {
            const isMeant = interpret(condition, value)
            const isRight = takes(plan, value, true) === isMeant && (takes(plan, value, false) || !isMeant)
            if (!isRight) expect.fail(describeCase(condition, value, plan))
            rate.asked++
            if (isMeant) rate.taken++
          }
          statistics.count('pairs', values.length)
        }
      },
    ),
    { numRuns: 500 },
  )
  statistics.report()
  const shares = [...rates].map(([name, rate]) => [name, rate.taken / rate.asked] as const).sort()
  console.log(shares.map(([name, share]) => `${name} ${share.toFixed(2)}`).join(', '))
  expect(shares.filter(([, share]) => share < 0.1 || share > 0.9)).toEqual([])
})

function describeCase(filter: Filter, value: unknown, { key, selection }: Plan<Sale>): string {
  return `${key}\n${fc.stringify({ filter, value, selection })}`
}

test('combinations are planned as a plain interpreter takes them, within what the definition selects', () => {
  const statistics = new Statistics('plans', [
    'pairs',
    'taken',
    'looked up',
    'several alternatives',
    'looked up only',
    'nothing to look up',
    'everything',
  ])
  fc.assert(
    fc.property(
      fc.array(fc.tuple(filters, selections), { minLength: 8, maxLength: 8 }),
      fc.array(events, { minLength: 40, maxLength: 40 }),
      (given, values) => {
        for (const [filter, where] of given) {
          const plan = planOf(filter, sales, where)
          const alternatives = alternativesOf(plan.selection)
          if (alternatives.length > 1) statistics.count('several alternatives')
          if (alternatives.length === 0) statistics.count('nothing to look up')
          else if (alternatives.every((one) => Object.keys(one).length === 0)) statistics.count('everything')
          else statistics.count(plan.test ? 'looked up' : 'looked up only')
          for (const value of values) {
            const isMeant = isFound(where, value, true) && interpret(filter, value)
            const isRight = takes(plan, value, true) === isMeant && (takes(plan, value, false) || !isMeant)
            if (!isRight) expect.fail(describeCase(filter, value, plan))
            statistics.count('pairs')
            if (isMeant) statistics.count('taken')
          }
        }
      },
    ),
    { numRuns: 700 },
  )
  statistics.report()
})
