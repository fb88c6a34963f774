import { z } from 'zod'
import { jsonCodec } from '../../src/streams/topic/codec.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'

/** As the records have it: snake case, times since the epoch, an amount as a number. */
const Shipment = z.object({
  shipment_id: z.int(),
  /** Milliseconds since the epoch. */
  shipped_at: z.int(),
  /** Microseconds since the epoch. */
  scanned_at: z.int().optional(),
  declared_value: z.union([z.number(), z.string()]),
  to: z.object({ postal_code: z.string().nullable() }),
  extra: z.json().optional(),
})
export type Shipment = z.output<typeof Shipment>

export const shipments = defineTopic('shipments', {
  schema: Shipment,
  codec: jsonCodec({ numbers: 'exact' }),
  index: ['shipment_id'],
  ordered: { shipped_at: { kind: 'number' }, declared_value: { kind: 'decimal' } },
})
