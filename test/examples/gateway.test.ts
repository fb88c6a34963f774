import { readFileSync } from 'node:fs'
import { createEmbeddedLog, readConfig, startGateway } from 'sluice'
import { expect, onTestFinished, test } from 'vitest'
import definition from '../../examples/gateway/gateway.ts'
import { blocksOf } from '../docs/blocks.ts'
import { silentLog } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'

test('the README shows examples/gateway as it is', () => {
  const shown = blocksOf('README.md', 'ts').map(({ text }) => text)
  expect(shown).toContain(readFileSync('examples/gateway/gateway.ts', 'utf8'))
})

test('a gateway in one file serves its topic, and its filter', async () => {
  const embedded = createEmbeddedLog()
  embedded.createTopic('payments', 2)
  const config = readConfig({ PORT: '0', ADMIN_PORT: '0', DEMO_RATE: '0' })
  const gateway = await startGateway({ ...definition, config, embedded, log: silentLog })
  onTestFinished(() => gateway.close())
  const where = '{ amount: { gte: "100" } }'
  const query = `subscription { paymentsByMerchant(merchantId: "m_1", where: ${where}) { id amount } }`
  const stream = await RawStream.subscribe(`${gateway.url}/graphql`, query)
  await stream.untilBlocks(1)
  const payment = { id: 'p_1', merchantId: 'm_1', method: 'CARD', amount: '120.00' }
  const others = [
    { ...payment, id: 'p_2', amount: '99.99' },
    { ...payment, id: 'p_3', merchantId: 'm_2' },
  ]
  const records = [...others, payment].map((value) => ({ key: value.merchantId, value: JSON.stringify(value) }))
  await embedded.sink.send('payments', records)
  await until('the payment has come', () => stream.results.length > 0)
  expect(stream.results).toEqual([{ data: { paymentsByMerchant: { id: 'p_1', amount: '120.00' } } }])
})
