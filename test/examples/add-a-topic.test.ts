import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { PLACES, textAtItsPlace } from './add-a-topic-places.ts'
import '../../examples/add-a-topic/payments-by-merchant.ts'
import { payments } from '../../examples/add-a-topic/payments.ts'
import { topics } from '../../src/resolvers/schema.ts'
import { builder } from '../../src/schema/types/builder.ts'

const run = promisify(execFile)

test('payments of the merchant asked for arrive beside the orders; what is no payment is skipped', async () => {
  const gateway = await startTestGateway({ schema: builder.toSchema(), topics: [...topics, payments] })
  const query = 'subscription { paymentsByMerchant(merchantId: "m_1") { id method amount } }'
  const stream = await RawStream.subscribe(gateway.graphql, query)
  await stream.untilBlocks(1)
  const payment = { id: 'p_1', merchantId: 'm_1', method: 'CARD', amount: '12.50' }
  const send = (...values: object[]) =>
    gateway.embedded.sink.send(
      'payments',
      values.map((value) => ({ key: 'm', value: JSON.stringify(value) })),
    )
  await send(
    payment,
    { ...payment, id: 'p_2', merchantId: 'm_2' },
    { ...payment, amount: 7 },
    { ...payment, id: 'p_3' },
  )
  expect(await stream.untilResults(2)).toEqual(
    ['p_1', 'p_3'].map((id) => ({ data: { paymentsByMerchant: { id, method: 'CARD', amount: '12.50' } } })),
  )
  expect(await gateway.metric('sluice_events_total', { topic: 'payments' })).toBe(3)
  expect(await gateway.metric('sluice_decode_failures_total', { topic: 'payments', reason: 'schema' })).toBe(1)
})

test('the steps of docs/add-a-topic.md give a project that passes its type check and prints the new field', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-topic-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const path of ['src', 'scripts/print-schema.ts', 'package.json', 'tsconfig.json']) {
    await cp(path, join(folder, path), { recursive: true })
  }
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  for (const file of Object.keys(PLACES) as (keyof typeof PLACES)[]) {
    await writeFile(join(folder, PLACES[file]), textAtItsPlace(file))
  }
  const root = join(folder, 'src/resolvers/schema.ts')
  const text = await readFile(root, 'utf8')
  const added = text.replace("import './recent-orders.ts'", "import './payments-by-merchant.ts'\n$&")
  expect(added.split('\n').length).toBe(text.split('\n').length + 1)
  await writeFile(root, added)

  const typeCheck = run(resolve('node_modules/.bin/tsc'), ['--project', folder])
  expect(await typeCheck.catch(({ stdout }) => ({ stdout }))).toMatchObject({ stdout: '' })
  await run(process.execPath, ['scripts/print-schema.ts'], { cwd: folder })
  const sdl = await readFile(join(folder, 'schema.graphql'), 'utf8')
  expect(sdl).toMatch(/paymentsByMerchant\([^)]*merchantId: ID![^)]*\): Payment!/)
  expect(sdl).toMatch(/ordersByRegion\(/)
})
