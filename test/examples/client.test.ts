import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { type Order, orders } from '../../examples/client/src/orders.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'

const run = promisify(execFile)

test('orders of the region asked for arrive, typed as the document asks, until the caller stops', async () => {
  const gateway = await startTestGateway()
  const stop = new AbortController()
  const received: Order[] = []
  const ended = (async () => {
    for await (const order of orders(gateway.graphql, 'EUROPE', stop.signal)) received.push(order)
  })()
  await until('the stream is open', () => gateway.engine.subscribers === 1)
  await gateway.produce({ id: 'a' }, { region: 'ASIA' }, { id: 'b', status: 'PAID', city: 'Utrecht', amount: '7.00' })
  await until('two orders came', () => received.length === 2)

  const order = { id: 'a', city: 'Amsterdam', country: 'NL', placedAt: '2026-11-27T10:15:30.123Z' } as const
  expect(received).toEqual([
    { ...order, status: 'PLACED', total: { amount: '129.90', currency: 'EUR' } },
    { ...order, id: 'b', status: 'PAID', city: 'Utrecht', total: { amount: '7.00', currency: 'EUR' } },
  ])
  stop.abort()
  await ended
  await until('the gateway has let the client go', () => gateway.engine.subscribers === 0)
})

test('the example prints an order a line, and ends on Ctrl-C', async () => {
  const gateway = await startTestGateway()
  const main = resolve('examples/client/src/main.ts')
  const client = spawn(process.execPath, [main, 'ASIA', gateway.graphql], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void client.kill('SIGKILL'))
  await until('the stream is open', () => gateway.engine.subscribers === 1)
  const line = once(createInterface(client.stdout), 'line')
  await gateway.produce({ region: 'ASIA', country: 'JP', city: 'Osaka', amount: '5200', currency: 'JPY' })
  expect(await line).toEqual(['2026-11-27T10:15:30.123Z  5200 JPY  Osaka, JP  PLACED'])
  const exit = once(client, 'exit')
  client.kill('SIGINT')
  expect(await exit).toEqual([0, null])
})

test('a region that the schema does not have ends the example with the message of the gateway', async () => {
  const gateway = await startTestGateway()
  const stop = new AbortController()
  const iterate = orders(gateway.graphql, 'ATLANTIS' as 'ASIA', stop.signal)
  await expect(iterate.next()).rejects.toThrow('Value "ATLANTIS" does not exist in "Region" enum')
})

test('after a field is renamed in the schema, types are not generated for a document that asks for it', async () => {
  const copy = await copyOfClient()
  await copy.replace('schema.graphql', 'placedAt: DateTime!', 'orderedAt: DateTime!')
  await expect(copy.codegen()).rejects.toThrow('Cannot query field "placedAt" on type "Order"')
})

test('after a field is renamed in the schema and in the document, the type check names the line that reads it', async () => {
  const copy = await copyOfClient()
  await copy.codegen()
  await copy.typeCheck()
  await copy.replace('schema.graphql', 'placedAt: DateTime!', 'orderedAt: DateTime!')
  await copy.replace('examples/client/src/orders.ts', 'placedAt', 'orderedAt')
  await copy.replace('web/src/operations.graphql', 'placedAt', 'orderedAt')
  await copy.codegen()
  const error = await copy.typeCheck().catch((failure: { stdout: string }) => failure.stdout)
  expect(error).toMatch(/main\.ts\(\d+,\d+\): error TS\d+: Property 'placedAt' does not exist/)
})

/** The client as a project of its own, in a temporary folder. */
async function copyOfClient() {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-client-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const examples = ['client', 'shared', 'graphql-sse', 'urql', 'apollo', 'react'].map((name) => `examples/${name}`)
  for (const path of [
    'schema.graphql',
    'codegen.ts',
    'package.json',
    'tsconfig.json',
    'packages/client',
    // Its documents are generated from, too.
    'web/src',
    ...examples,
  ]) {
    await cp(path, join(folder, path), { recursive: true })
  }
  const modules = resolve('node_modules')
  await symlink(modules, join(folder, 'node_modules'))
  // As a test, the generator would not say what is wrong.
  const env = { ...process.env, NODE_ENV: 'development' }
  const tool = (name: string, ...args: string[]) => run(join(modules, '.bin', name), args, { cwd: folder, env })
  return {
    async replace(file: string, from: string, to: string) {
      const text = await readFile(join(folder, file), 'utf8')
      expect(text).toContain(from)
      await writeFile(join(folder, file), text.replaceAll(from, to))
    },
    codegen: () => tool('graphql-codegen', '--verbose', '--config', 'codegen.ts').catch(rethrowOutput),
    typeCheck: () => tool('tsc', '--project', '.'),
  }
}

function rethrowOutput(error: { stdout: string; stderr: string }): never {
  throw new Error(error.stdout + error.stderr)
}
