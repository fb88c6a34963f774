import { expect, test } from 'vitest'
import { describeStack, expectEndWhenKilled, expectNothingLeft, expectOrdersAndNothingLeft } from './running-stack.ts'

describeStack('npm run stack', () => {
  test('does the same with unix sockets and three gateways', () => expectOrdersAndNothingLeft(3, ['--sockets']))

  test.each([
    ['Nginx', 'nginx: master', /^Nginx was ended by SIGKILL$/m],
    ['Kafka', 'kafka.Kafka', /^Kafka ended$/m],
    ['the feed', 'src/demo/produce.ts', /^The feed was ended by SIGKILL$/m],
  ])('says so when %s ends by itself, and ends the others', async (_part, command, name) => {
    await expectEndWhenKilled(command, name)
  })

  test('leaves nothing even when it is killed with -9', async () => {
    expect(await expectNothingLeft('Ctrl-C ends', ({ process }) => process.kill('SIGKILL'))).toBeNull()
  })
})
