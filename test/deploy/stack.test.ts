import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { parseStackCommand } from '../../deploy/stack/options.ts'
import {
  ctrlC,
  describeStack,
  expectEndWhenKilled,
  expectNothingLeft,
  expectOrdersAndNothingLeft,
  STACK_TEST_MS,
  startStack,
} from './running-stack.ts'

describeStack('npm run stack', () => {
  test(
    'brings orders from Kafka through gateways and Nginx to curl, and leaves nothing running after Ctrl-C',
    () => expectOrdersAndNothingLeft(2, []),
    STACK_TEST_MS,
  )

  test(
    'says which gateway ended by itself, with its last lines, and ends the others',
    async () => {
      const stack = await expectEndWhenKilled('src/main.ts', /^gateway-1 was ended by SIGKILL$/m)
      expect(stack.output()).toMatch(/^ {2}\{.*"Sluice is listening"/m)
    },
    STACK_TEST_MS,
  )

  test(
    'leaves nothing when it is interrupted at its start',
    async () => expect(await expectNothingLeft('Kafka ', ctrlC)).toBe(130),
    STACK_TEST_MS,
  )

  test('says which port is in use, and how to choose another', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const stack = await startStack(['--port', `${port}`])
    expect(await stack.untilEnded()).toEqual({ code: 1, signal: null })
    expect(stack.output()).toBe(
      `Port ${port} of 127.0.0.1 is in use, and Nginx wants it: end what listens there, or choose with --port\n`,
    )
  })
})

test('without an Nginx the stack ends at once, with a sentence on how to get one', async () => {
  const stack = await startStack([], { NGINX: '/nowhere/nginx' })
  expect(await stack.untilEnded()).toEqual({ code: 3, signal: null })
  expect(stack.output()).toMatch(/^The stack cannot start: there is no Nginx: .*apt-get install nginx-light.*\n$/)
})

test.each([
  [[], { gateways: 2, rate: 20, port: 8443, 'kafka-port': 9092, 'base-port': 4100, sockets: false }],
  [['--gateways', '3', '--sockets', '--rate', '0'], { gateways: 3, rate: 0, sockets: true }],
  [['--gateways', '0'], { wrong: '--gateways "0" is wrong: how many, 1 to 16 (default: 2)' }],
  [['--port', 'x'], { wrong: expect.stringMatching(/^--port "x" is wrong: where Nginx listens/) }],
  [['--nope'], { wrong: expect.stringContaining('--nope') }],
  [['--help'], 'help'],
])('the command line %j', (args, wanted) => {
  const command = parseStackCommand(args)
  if (typeof wanted === 'string') expect(command).toBe(wanted)
  else expect(command).toMatchObject(wanted)
})
