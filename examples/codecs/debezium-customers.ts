import { debeziumCodec, defineTopic } from 'sluice'
import { z } from 'zod'

const Customer = z.object({
  id: z.int(),
  name: z.string().optional(),
  op: z.enum(['c', 'u', 'r', 'd']),
  source: z.object({ table: z.string() }),
})
export const customers = defineTopic('shop.public.customers', {
  schema: Customer,
  codec: debeziumCodec(),
  index: ['op'],
})
export const customerTable = defineTopic('shop.public.accounts', {
  schema: Customer,
  codec: debeziumCodec({ deletes: 'tombstone' }),
  table: true,
})
