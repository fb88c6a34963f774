import fc from 'fast-check'
import { parse } from 'graphql'
import { expect, test } from 'vitest'
import { Authorization } from '../../../src/admission/authorization/authorization.ts'
import { prepareOperation } from '../../../src/delivery/operation/operation.ts'
import { compileText } from '../../../src/delivery/render/compile-text.ts'
import { executeEvent } from '../../../src/delivery/render/execute-event.ts'
import { schema } from '../../../src/resolvers/schema.ts'
import type { Bounds, Context } from '../../../src/schema/context.ts'
import type { StreamEvent } from '../../../src/streams/event.ts'
import { Conditions } from '../../../src/streams/feed/conditions.ts'
import { type OrderEvent, orders } from '../../../src/streams/topics/orders.ts'
import { anEntry, aPrincipal, openAdmission, someParams } from '../../kit/admission.ts'
import { anOrder } from '../../kit/gateway.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { Statistics } from '../../kit/statistics.ts'

const MERCHANTS = ['m_1', 'm_2', 'm_3']
const REGIONS = ['EUROPE', 'ASIA', 'AFRICA'] as const

/** A filter as a client sends it. */
type Where = Readonly<Record<string, unknown>>

const operators = (values: readonly string[]) =>
  fc.oneof(
    ...['eq', 'ne'].map((name) => fc.constantFrom(...values).map((value) => ({ [name]: value }))),
    ...['in', 'notIn'].map((name) => fc.subarray([...values]).map((list) => ({ [name]: list }))),
  )

const { where } = fc.letrec<{ where: Where }>((tie) => ({
  where: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    operators(MERCHANTS).map((merchantId) => ({ merchantId })),
    operators(REGIONS).map((region) => ({ region })),
    fc.constantFrom({ itemCount: { gt: 3 } }, { country: { startsWith: 'N' } }, {}),
    fc.constantFrom({ customer: { isNull: false } }, { customer: { id: { eq: 'c_1' } } }),
    fc.array(tie('where'), { maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('where'), { maxLength: 3 }).map((or) => ({ or })),
    tie('where').map((not) => ({ not })),
    fc.tuple(tie('where'), tie('where')).map(([a, b]) => ({ ...a, ...b })),
  ),
}))

const order: fc.Arbitrary<OrderEvent> = fc
  .record({
    merchantId: fc.constantFrom(...MERCHANTS),
    region: fc.constantFrom(...REGIONS),
    itemCount: fc.nat(6),
    country: fc.constantFrom('NL', 'BE'),
    customer: fc.option(fc.constantFrom('c_1', 'c_2'), { nil: undefined }),
  })
  .map(({ customer, ...rest }) =>
    anOrder({ ...rest, ...(customer && { customer: { id: customer, email: 'secret@example.com' } }) }),
  )

const bounds: fc.Arbitrary<Bounds> = fc.oneof(
  fc.constant({}),
  fc.record({ region: fc.subarray([...REGIONS], { minLength: 1 }) }),
  fc.record({
    merchantId: fc.subarray(MERCHANTS, { minLength: 1 }),
    region: fc.subarray([...REGIONS], { minLength: 2 }),
  }),
)

/** How `customer` is selected, and whether it is in the end. */
const SELECTIONS = {
  'id merchantId': false,
  'id customer { email }': true,
  'id mail: customer { address: email }': true,
  'id ...c': true,
  'id ... on Order { customer { __typename } }': true,
  'id customer @include(if: $yes) { email }': true,
  'id customer @skip(if: $yes) { email }': false,
  'id ...c @include(if: $no)': false,
} as const

const ROOTS = [
  ...MERCHANTS.map((value) => ({
    field: `ordersByMerchant(merchantId: "${value}", where: $where)`,
    property: 'merchantId',
    value,
  })),
  ...REGIONS.map((value) => ({ field: `ordersByRegion(region: ${value}, where: $where)`, property: 'region', value })),
  { field: 'orders(where: $where)', property: undefined, value: undefined },
  { field: 'orders(where: $where)', property: undefined, value: undefined },
] as const

/* The model: the plain meaning of a filter, of bounds and of scopes. */

function holds(filter: Where, event: OrderEvent): boolean {
  return Object.entries(filter).every(([name, given]) => {
    if (name === 'and') return (given as Where[]).every((each) => holds(each, event))
    if (name === 'or') return (given as Where[]).some((each) => holds(each, event))
    if (name === 'not') return !holds(given as Where, event)
    if (name === 'customer') {
      const { isNull, id } = given as { isNull?: boolean; id?: { eq: string } }
      return isNull === undefined ? event.customer?.id === id?.eq : (event.customer === undefined) === isNull
    }
    const value = event[name as 'merchantId'] as unknown
    return Object.entries(given as Where).every(([operator, operand]) => {
      if (operator === 'gt') return (value as number) > (operand as number)
      if (operator === 'startsWith') return (value as string).startsWith(operand as string)
      const isIn = [operand].flat().includes(value as never)
      return operator === 'eq' || operator === 'in' ? isIn : !isIn
    })
  })
}

function mentionsCustomer(filter: unknown): boolean {
  if (typeof filter !== 'object' || filter === null) return false
  return Object.entries(filter).some(([name, inner]) => name === 'customer' || mentionsCustomer(inner))
}

/** Whether a filter asks by name for what is outside. `eq` and `in` ask; `ne` and `notIn` do so where they are negated. */
function asksOutside(filter: Where, bound: Bounds, isNegated = false): boolean {
  return Object.entries(filter).some(([name, given]) => {
    if (name === 'and' || name === 'or') return (given as Where[]).some((each) => asksOutside(each, bound, isNegated))
    if (name === 'not') return asksOutside(given as Where, bound, !isNegated)
    const allowed = bound[name]
    if (!allowed) return false
    return Object.entries(given as Where).some(([operator, operand]) => {
      const isAsking = (operator === 'eq' || operator === 'in') !== isNegated
      return isAsking && [operand].flat().some((value) => !allowed.includes(value as string))
    })
  })
}

const isWithin = (bound: Bounds, event: OrderEvent): boolean =>
  Object.entries(bound).every(([property, values]) => values.includes(event[property as 'merchantId']))

test('whatever is asked for, no event is outside of its bounds, and no field outside of its scopes', async () => {
  const statistics = new Statistics('rights', [
    'bound',
    'refused for a scope',
    'refused for a filter',
    'refused for a bound',
    'events shown',
    'events of others left out',
    'customers shown',
    'compiled',
    'admitted with a filter by customer',
  ])
  const authorization = new Authorization({ schema, log: silentLog })
  const admission = openAdmission(schema, { authorization })
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        bound: bounds,
        hasScope: fc.boolean(),
        root: fc.constantFrom(...ROOTS),
        selection: fc.constantFrom(...(Object.keys(SELECTIONS) as (keyof typeof SELECTIONS)[])),
        filter: where,
        events: fc.array(order, { minLength: 5, maxLength: 15 }),
      }),
      async ({ bound, hasScope, root, selection, filter, events }) => {
        const fragment = selection.includes('...c') ? 'fragment c on Order { customer { email } }' : ''
        const flags = ['yes', 'no'].filter((name) => selection.includes(`$${name}`))
        const declared = flags.map((name) => `, $${name}: Boolean = ${name === 'yes'}`).join('')
        const query = `subscription ($where: OrderFilter${declared}) { ${root.field} { ${selection} } } ${fragment}`
        const principal = aPrincipal({ bounds: bound, scopes: new Set(hasScope ? ['orders:pii'] : []) })
        const audience = authorization.audienceOf(principal)
        const variables = { where: filter }
        if (Object.keys(bound).length > 0) statistics.count('bound')

        const result = await admission.admit(anEntry(), { principal, audience }, someParams(query, { variables }))
        if (SELECTIONS[selection] && !hasScope) {
          expect(result).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
          statistics.count('refused for a scope')
          return
        }
        expect(result).toHaveProperty('admitted')
        if (mentionsCustomer(filter) && hasScope) statistics.count('admitted with a filter by customer')

        const context = { audience, streams: {} } as Context
        const prepare = () =>
          prepareOperation({ schema, document: parse(query), operationName: undefined, variables, context })
        const isOutside = root.property !== undefined && bound[root.property]?.includes(root.value) === false
        const learns = mentionsCustomer(filter) && !hasScope
        if (learns || isOutside || asksOutside(filter, bound)) {
          expect(prepare).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }))
          statistics.count(learns ? 'refused for a filter' : 'refused for a bound')
          return
        }
        const operation = prepare()
        if (!('args' in operation) || !operation.stream) throw new Error('It is no stream')
        const { selection: found, test: passes } = operation.stream.select
        const conditions = new Conditions(orders, found)
        for (const value of events) {
          const event = { kind: 'event', topic: 'orders', value, partition: 0, offset: 0 } as unknown as StreamEvent
          const isSelected = conditions.meets(event) && (!passes || passes(event))
          const isAsked =
            (root.property === undefined || value[root.property as 'region'] === root.value) && holds(filter, value)
          expect(isSelected).toBe(isAsked && isWithin(bound, value))
          if (isAsked && !isSelected) statistics.count('events of others left out')
          if (!isSelected) continue
          statistics.count('events shown')
          const json = JSON.stringify(await executeEvent(operation.args, event))
          expect(json).not.toContain('errors')
          const compiled = compileText(operation.args)?.execute(operation.args, event)
          if (typeof compiled === 'string') {
            expect(compiled).toBe(json)
            statistics.count('compiled')
          }
          if (json.includes('secret@')) statistics.count('customers shown')
          if (!hasScope) expect(json).not.toMatch(/secret@|Customer|c_[12]/)
        }
      },
    ),
    { numRuns: 1_500 },
  )
  statistics.report()
})
