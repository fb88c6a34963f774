import avro from 'avsc'
import type { TestKafka } from '../kit/kafka.ts'
import type { TestRegistry } from '../kit/registry.ts'

/** Three invented topics, and one in Avro, each with what the others lack. */
export const TOPICS = ['payments', 'shop-shipments', 'db.public.customers', 'stock.levels'] as const

const COUNT = 120
const each = <T>(value: (index: number) => T): T[] => Array.from({ length: COUNT }, (_, index) => value(index))
const pick = <T>(values: readonly T[], index: number): T => values[index % values.length] as T

/** Nested, with nulls. */
export function payment(index: number) {
  return {
    id: `pay_${index}`,
    merchantId: `m_${String(index % 9).padStart(4, '0')}`,
    amount: { value: `${index}.${String(index % 100).padStart(2, '0')}`, currency: pick(['EUR', 'USD'], index) },
    method: pick(['CARD', 'TRANSFER', 'WALLET'], index),
    card: index % 3 === 0 ? { brand: pick(['VISA', 'AMEX'], index), holder: `Jane Doe ${index}` } : null,
    refundOf: index % 10 === 9 ? `pay_${index - 1}` : null,
    items: Array.from({ length: index % 3 }, (_, item) => ({ sku: `s-${item}`, quantity: item + 1 })),
    createdAt: new Date(Date.UTC(2026, 1, 1) + index * 60_000).toISOString(),
  }
}

/** Snake case, times since the epoch, and no id: that is the record's key. */
function shipment(index: number) {
  return {
    carrier_code: pick(['DHL', 'UPS', 'DPD'], index),
    'to-country': pick(['NL', 'DE', 'FR'], index),
    weight_kg: index / 4,
    parcel_count: 1 + (index % 4),
    shipped_at: 1_770_000_000 + index * 60,
    updated_ms: 1_770_000_000_000 + index * 60_000,
    ...(index % 2 === 0 && { delivered_at: 1_770_100_000 + index * 60 }),
  }
}

function customer(id: number) {
  return { id, email: `anna.${id}@example.com`, plan: pick(['FREE', 'PRO'], id), balance: id * 3_000_000_000 }
}

/** Debezium's changes, with a tombstone after each deletion. */
function changes(): { key: string; value: string | null }[] {
  const source = { connector: 'postgresql', db: 'shop', table: 'customers', ts_ms: 1_770_000_000_000 }
  return each((index) => index).flatMap((index) => {
    const key = JSON.stringify({ id: index % 40 })
    const row = customer(index % 40)
    const change = (op: string, before: object | null, after: object | null) => ({
      key,
      value: JSON.stringify({ before, after, source, op, ts_ms: 1_770_000_000_000 + index }),
    })
    if (index % 12 === 11) return [change('d', row, null), { key, value: null }]
    return [index < 40 ? change('c', null, row) : change('u', row, { ...row, plan: 'PRO' })]
  })
}

const STOCK = {
  type: 'record',
  name: 'StockLevel',
  namespace: 'shop',
  fields: [
    { name: 'sku', type: 'string' },
    { name: 'warehouse', type: { type: 'enum', name: 'Warehouse', symbols: ['NORTH', 'SOUTH'] } },
    { name: 'level', type: 'int' },
    { name: 'reserved', type: ['null', 'long'], default: null },
    { name: 'counted_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
} as const

/** In Confluent's wire format. */
async function stock(registry: TestRegistry): Promise<{ key: string; value: Buffer }[]> {
  const id = await registry.register('stock.levels-value', { schema: STOCK })
  const type = avro.Type.forSchema(STOCK as unknown as avro.Schema)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  return each((index) => {
    const warehouse = pick(['NORTH', 'SOUTH'], index)
    const level = {
      sku: `s-${index % 20}`,
      warehouse,
      level: index,
      reserved: null,
      counted_at: 1_770_000_000_000 + index,
    }
    return { key: level.sku, value: Buffer.concat([head, type.toBuffer(level)]) }
  })
}

export async function produceTopics(kafka: TestKafka, registry: TestRegistry): Promise<void> {
  for (const topic of TOPICS) await kafka.createTopicNamed(topic, 3)
  const json = (value: object) => JSON.stringify(value)
  await kafka.produce('payments', each((index) => ({ key: payment(index).merchantId, value: json(payment(index)) }))) // biome-ignore format: one line
  await kafka.produce('shop-shipments', each((index) => ({ key: `shp-${index}`, value: json(shipment(index)) }))) // biome-ignore format: one line
  await kafka.produce('db.public.customers', changes())
  await kafka.produce('stock.levels', await stock(registry))
}
