import { createBuilder } from '../../src/schema/builder.ts'
import { type Shipment, shipments } from './shipments.ts'

const builder = createBuilder()

const ShipmentType = builder.objectRef<Shipment>('Shipment').implement({
  fields: (t) => ({
    id: t.field({ type: 'Long', resolve: ({ shipment_id }) => shipment_id }),
    shippedAt: t.field({ type: 'DateTime', resolve: ({ shipped_at }) => new Date(shipped_at) }),
    scannedAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: ({ scanned_at }) => (scanned_at === undefined ? null : new Date(scanned_at / 1000)),
    }),
    declaredValue: t.field({ type: 'Decimal', resolve: ({ declared_value }) => declared_value }),
    postalCode: t.string({ nullable: true, resolve: ({ to }) => to.postal_code }),
    extra: t.field({ type: 'JSON', nullable: true, resolve: ({ extra }) => extra }),
  }),
})

builder.queryType({ fields: (t) => ({ ok: t.boolean({ resolve: () => true }) }) })
builder.subscriptionType({ fields: (t) => ({ shipments: t.stream({ topic: shipments, type: ShipmentType }) }) })

export const schema = builder.toSchema()
