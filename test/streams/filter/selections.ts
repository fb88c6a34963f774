import fc from 'fast-check'
import type { Selection, Where } from '../../../src/streams/topic/where.ts'
import type { Sale } from './shop.ts'

const regions = fc.constantFrom('EUROPE', 'ASIA', 'AFRICA')
const wheres = fc.record(
  {
    region: fc.oneof(regions, fc.record({ in: fc.array(regions, { minLength: 1, maxLength: 3 }) })),
    count: fc.oneof(fc.constantFrom(0, 1), fc.record({ gt: fc.integer({ min: -2, max: 2 }) }), fc.constant({ lte: 2 })),
    amount: fc.oneof(
      fc.constantFrom('1', '1.0'),
      fc.constantFrom({}, { gte: '1.00' }, { lt: '12', gt: '-5' }, { gt: '3', lt: '2' }),
    ),
    isPaid: fc.constantFrom(true, null, { in: [null, undefined, false] }, undefined),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Where<Sale>>
/** What the definition of a field may select by itself. */
export const selections: fc.Arbitrary<Selection<Sale>> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: wheres },
  { weight: 1, arbitrary: fc.array(wheres, { maxLength: 3 }) },
)
