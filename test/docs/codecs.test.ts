import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import * as avro from '../../examples/codecs/avro-readings.ts'
import * as connect from '../../examples/codecs/connect-invoices.ts'
import * as debezium from '../../examples/codecs/debezium-customers.ts'
import * as protobuf from '../../examples/codecs/protobuf-readings.ts'
import * as payments from '../../examples/codecs/registry-payments.ts'
import { fakeRegistry } from '../kit/fake-registry.ts'
import { RECORD } from '../streams/topic/codecs/records.ts'
import { blocksOf } from './blocks.ts'

const FILES = [
  'registry-payments',
  'registry-shipments',
  'avro-readings',
  'protobuf-readings',
  'connect-invoices',
  'debezium-customers',
]
const bytes = (text: string) => Buffer.from(text)

test("the page's examples are those that are compiled with the project", () => {
  const shown = blocksOf('docs/codecs.md', 'ts').map(({ text }) => text)
  expect(shown).toEqual(FILES.map((name) => readFileSync(`examples/codecs/${name}.ts`, 'utf8')))
})

test('they decode records', () => {
  expect(avro.readings.codec(bytes('\x02s\0\0\0\0\0\0\0\0'), RECORD)).toEqual({ sensor: 's', celsius: 0 })
  expect(protobuf.readings.codec(bytes('\x0a\x01s'), RECORD)).toEqual({ sensor: 's', celsius: 0 })
  const invoice = { schema: null, payload: { id: 1, amount: '2.00', due: '2026-11-27' } }
  expect(connect.invoices.codec(bytes(JSON.stringify(invoice)), RECORD)).toEqual(invoice.payload)
  const change = { op: 'c', after: { id: 1 }, source: { table: 'customers' } }
  const value = debezium.customers.codec(bytes(JSON.stringify(change)), RECORD)
  expect(debezium.customers.schema.parse(value)).toEqual({ id: 1, op: 'c', source: { table: 'customers' } })
  expect(debezium.customerTable.table).toBeDefined()
  expect(payments.payments.codec.prepare).toBeTypeOf('function')
})

test('a topic takes its schema from the registry', async () => {
  const registry = await fakeRegistry()
  onTestFinished(() => registry[Symbol.asyncDispose]())
  registry.versions.set('shipments-value/latest', { id: 1, version: 1, schema: '{"type":"map","values":"int"}' })
  process.env.SCHEMA_REGISTRY = registry.url
  onTestFinished(() => void delete process.env.SCHEMA_REGISTRY)
  const { shipments } = await import('../../examples/codecs/registry-shipments.ts')
  expect(shipments.schema.safeParse({ a: 1 }).success).toBe(true)
  expect(shipments.schema.safeParse({ a: 'x' }).success).toBe(false)
})
