import type { OrderEvent } from '../streams/topics/orders.ts'
import type { Random } from './random.ts'

/** So many that most orders of a demo are of somebody new, and some people come back. */
const CUSTOMERS = 100_000
/** The share of orders without a customer: those of guests. */
const GUESTS = 0.1

/** Who has ordered. Addresses are of a domain that nobody can have (RFC 2606). */
export function chooseCustomer(random: Random): OrderEvent['customer'] {
  const number = Math.floor(random.float() * CUSTOMERS)
  if (random.float() < GUESTS) return undefined
  const digits = String(number).padStart(5, '0')
  return { id: `c_${digits}`, email: `customer.${digits}@example.com` }
}
