import fc from 'fast-check'
import { parse } from 'graphql'
import { expect, test } from 'vitest'
import { prepareOperation } from '../../../src/delivery/operation/operation.ts'
import { ANONYMOUS, type Context } from '../../../src/schema/context.ts'
import { Conditions as Lookup } from '../../../src/streams/feed/conditions.ts'
import { Statistics } from '../../kit/statistics.ts'
import { type Conditions, filters, meets, OPERATORS, someItems } from './conditions.ts'
import { items, shopSchema } from './shop.ts'

const RUNS = 1_000
const ITEMS = 100
/** Part of the items for which an operator has to hold, and not to hold: otherwise it is hardly tested. */
const LEAST_RATE = 0.1

const schema = shopSchema()
const context: Context = { audience: ANONYMOUS, streams: {} as Context['streams'] }
const ENUMS = new Set(['RED', 'GREEN'])

/** A filter as a literal of GraphQL. */
function literalOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literalOf).join()}]`
  if (typeof value === 'string' && ENUMS.has(value)) return value
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, each]) => `${name}: ${literalOf(each)}`)
    .join(' ')}}`
}

function prepared(query: string, variables?: Record<string, unknown>) {
  const operation = prepareOperation({ schema, document: parse(query), operationName: undefined, variables, context })
  if (!('stream' in operation) || !operation.stream) throw new Error(`It is no stream: ${JSON.stringify(operation)}`)
  return { key: operation.key, select: operation.stream.select }
}

const byLiteral = (filter: Conditions) => prepared(`subscription { item(where: ${literalOf(filter)}) { id } }`)
const byVariable = (where: Conditions) =>
  prepared('subscription($where: ItemFilter) { item(where: $where) { id } }', { where })

test('a filter selects what it says, whether it is a literal or a variable, looked up and tested', () => {
  const statistics = new Statistics('filters', [
    'selected',
    'not selected',
    'looked up',
    'nothing left to test',
    'none',
  ])
  const held = new Map(OPERATORS.map((operator) => [operator, { asked: 0, holds: 0 }]))
  const tell = (operator: string, holds: boolean): void => {
    const counts = held.get(operator) as { asked: number; holds: number }
    counts.asked++
    if (holds) counts.holds++
  }
  fc.assert(
    fc.property(filters, fc.array(someItems, { minLength: ITEMS, maxLength: ITEMS }), (filter, all) => {
      const { key, select } = byLiteral(filter)
      expect(byVariable(filter).key).toBe(key)
      const lookup = new Lookup(items, select.selection)
      const isNone = Array.isArray(select.selection) && select.selection.length === 0
      if (isNone) statistics.count('none')
      else if (Object.keys(select.selection).length > 0) statistics.count('looked up')
      if (!select.test) statistics.count('nothing left to test')
      for (const [offset, value] of all.entries()) {
        const event = {
          kind: 'event',
          topic: 'items',
          partition: 0,
          offset,
          timestamp: 0,
          key: null,
          headers: {},
          value,
        }
        const isSelected = lookup.meets(event as never) && (select.test?.(event as never) ?? true)
        const isMeant = meets(filter, value, tell)
        statistics.count(isMeant ? 'selected' : 'not selected')
        if (isSelected !== isMeant) throw new Error(`${literalOf(filter)} of ${JSON.stringify(value)} is ${isMeant}`)
      }
    }),
    { numRuns: RUNS },
  )
  statistics.report()
  const rates = [...held].map(([operator, { asked, holds }]) => [operator, holds / asked] as const)
  console.log(`held: ${rates.map(([operator, rate]) => `${operator} ${rate.toFixed(2)}`).join(', ')}`)
  expect(rates.filter(([, rate]) => !(rate > LEAST_RATE && rate < 1 - LEAST_RATE))).toEqual([])
})
