import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `AvroSerializer.java` writes. */
export const PAYMENT_SCHEMA = readFileSync(join(import.meta.dirname, '../../../kit/java/payment.avsc'), 'utf8')

/** Its bytes behind the wire format's header, as the long test makes them anew. */
export const PAYMENT_BYTES: readonly Buffer[] = [
  'CnBheV8w/v///////x8Q/klktFnPDLKA2/nsx/iTBqy5AgAABAJhAmIAAgJrAAACAgQA',
  'CnBheV8x/P///////x8CBYLb+ezH+JMGrLkCAgIaZ3LDtsOfZXIg8J+StgQCYQJiAAICawIAAgIEAA==',
].map((text) => Buffer.from(text, 'base64'))

const tree = { n: 1, next: { n: 2, next: null } }
export const PAYMENTS = [
  {
    id: 'pay_0',
    serial: 9_007_199_254_740_991,
    amount: '-1234567890123456.78',
    at: '2024-11-27T10:15:30.123456Z',
    day: '2024-11-27',
    state: 'OPEN',
    note: null,
    tags: ['a', 'b'],
    labels: { k: 0 },
    tree,
  },
  {
    id: 'pay_1',
    serial: 9_007_199_254_740_990,
    amount: '0.05',
    at: '2024-11-27T10:15:30.123457Z',
    day: '2024-11-27',
    state: 'PAID',
    note: 'größer 💶',
    tags: ['a', 'b'],
    labels: { k: 1 },
    tree,
  },
]
