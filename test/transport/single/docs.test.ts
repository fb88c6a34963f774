import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { blocksOf, commandsOf } from '../../docs/blocks.ts'
import { startTestGateway } from '../../kit/gateway.ts'
import { until } from '../../kit/until.ts'

test('the commands of docs/clients/single-connection.md reserve a stream, start an operation and print its orders', async () => {
  const gateway = await startTestGateway()
  const [command = ''] = blocksOf('docs/clients/single-connection.md', 'sh')
    .flatMap(commandsOf)
    .filter((each) => each.startsWith('token='))
  const shell = spawn('sh', ['-c', command.replaceAll('http://127.0.0.1:4000/graphql', gateway.graphql)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(async () => {
    process.kill(-shell.pid!, 'SIGTERM')
    await once(shell, 'close')
  })
  let output = ''
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await until('the operation runs', () => gateway.engine.subscribers === 1)
  await gateway.produce({ id: 'ord_x', region: 'ASIA' })
  await until('its order was printed', () => output.includes('data: {"id":"1"'))
  expect(output).toContain('event: next\ndata: {"id":"1","payload":{"data":{"ordersByRegion":{"id":"ord_x"}}}}\n\n')
})
