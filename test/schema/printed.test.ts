import { readFileSync } from 'node:fs'
import { buildSchema, findSchemaChanges, lexicographicSortSchema, printSchema } from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/resolvers/schema.ts'

const printed = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8')

/** What other people's clients depend on: fields may be added, and none of these may change. */
const CONTRACT = buildSchema(`
  scalar Cursor
  scalar DateTime
  scalar Decimal
  enum Region { AFRICA ASIA EUROPE NORTH_AMERICA OCEANIA SOUTH_AMERICA }
  enum OrderStatus { PLACED PAID SHIPPED CANCELLED }
  type Query { recentOrders(region: Region, last: Int = 20): [Order!]! }
  type Subscription {
    ordersByRegion(region: Region!, throttle: Throttle, after: Cursor, since: DateTime, last: Int): Order!
    ordersByMerchant(merchantId: ID!, throttle: Throttle, after: Cursor, since: DateTime, last: Int): Order!
  }
  type Order {
    id: ID!  merchantId: ID!  region: Region!  country: String!  city: String!  location: Location!
    total: Money!  itemCount: Int!  status: OrderStatus!  placedAt: DateTime!
  }
  type Location { lat: Float!  lon: Float! }
  type Money { amount: Decimal!  currency: String! }
  input Throttle { everyMs: Int!, mode: ThrottleMode! = LATEST, by: String }
  enum ThrottleMode { FIRST LATEST }
`)

/** Changes that only add, or only say more. */
const HARMLESS = /^(?!REQUIRED_).*_ADDED$|DESCRIPTION/

test('schema.graphql is what the code makes', () => {
  expect(printed.trim()).toBe(printSchema(lexicographicSortSchema(schema)).trim())
})

test('the schema has everything of the contract, and only adds to it', () => {
  const broken = findSchemaChanges(CONTRACT, buildSchema(printed)).filter(({ type }) => !HARMLESS.test(type))
  expect(broken.map(({ description }) => description)).toEqual([])
})

test('every field of the contract that is dropped or changed would be noticed', () => {
  const changes = (sdl: string) =>
    findSchemaChanges(CONTRACT, buildSchema(sdl)).filter(({ type }) => !HARMLESS.test(type)).length
  expect(changes(printed.replace('  city: String!\n', ''))).toBe(1)
  expect(changes(printed.replace('itemCount: Int!', 'itemCount: Int'))).toBe(1)
  expect(changes(printed.replace('merchantId: ID!\n\n', 'merchantId: ID!\n    shop: ID!\n\n'))).toBe(1)
  expect(changes(printed.replace('  SHIPPED\n', ''))).toBe(1)
})
