import { expect, test } from 'vitest'
import { schema } from '../../examples/shapes/shipment.ts'
import { shipments } from '../../examples/shapes/shipments.ts'
import { createEmbeddedLog } from '../../src/streams/source/embedded/embedded.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'

test('snake case, epoch times and amounts as numbers are filtered and delivered by the shape of the API', async () => {
  const embedded = createEmbeddedLog()
  embedded.createTopic('shipments', 1)
  const gateway = await startTestGateway({ schema, topics: [shipments], embedded })
  const where =
    '{ declaredValue: { gt: "12345678901234567.1" }, shippedAt: { gte: "2026-11-27T10:00:00Z" }, id: { in: [7, "8"] } }'
  const query = `subscription { shipments(where: ${where}) { id shippedAt scannedAt declaredValue postalCode extra } }`
  const stream = await RawStream.subscribe(gateway.graphql, query)
  await stream.untilBlocks(1)
  const at = Date.parse('2026-11-27T10:15:30.123Z')
  const record = (id: number, value: string, rest = '') =>
    `{"shipment_id":${id},"shipped_at":${at},"declared_value":${value},"to":{"postal_code":null}${rest}}`
  const values = [
    record(7, '12345678901234567.1'),
    record(7, '12345678901234567.25', `,"scanned_at":${at}000,"extra":{"a":[1,null]}`),
    record(9, '12345678901234568'),
    record(8, '99999999999999999999'),
  ]
  await embedded.sink.send(
    'shipments',
    values.map((value) => ({ key: null, value })),
  )
  const shippedAt = new Date(at).toISOString()
  const plain = { shippedAt, scannedAt: null, postalCode: null, extra: null }
  expect(await stream.untilResults(2)).toEqual([
    {
      data: {
        shipments: {
          ...plain,
          id: '7',
          scannedAt: shippedAt,
          declaredValue: '12345678901234567.25',
          extra: { a: [1, null] },
        },
      },
    },
    { data: { shipments: { ...plain, id: '8', declaredValue: '99999999999999999999' } } },
  ])
})
