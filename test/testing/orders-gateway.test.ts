/** The orders gateway is tested as other people test theirs: by `sluice/testing`. */
import { testGateway } from 'sluice/testing'
import { expect, onTestFinished, test } from 'vitest'
import { ordersGateway } from '../../src/orders-gateway.ts'
import { anOrder } from '../kit/gateway.ts'

test('placed orders of a region arrive at its subscribers, and at no others', async () => {
  const gateway = await testGateway({ ...ordersGateway, pages: undefined })
  onTestFinished(() => gateway.close())
  const document = 'subscription ($region: Region!) { ordersByRegion(region: $region) { id total { amount } } }'
  const europe = await gateway.subscribe(document, { region: 'EUROPE' })
  const asia = await gateway.subscribe(document, { region: 'ASIA' })
  await gateway.produce('orders', anOrder({ id: 'ord_1', amount: '12.50' }))
  expect(await europe.take(1)).toEqual([{ data: { ordersByRegion: { id: 'ord_1', total: { amount: '12.50' } } } }])
  await asia.none()
})
