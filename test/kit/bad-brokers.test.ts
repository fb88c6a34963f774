import { expect, onTestFinished, test } from 'vitest'
import { answers, listens, memberPorts } from '../../deploy/kafka/probe.ts'
import { type BadBroker, lyingServer, portOf, silentServer } from './bad-brokers.ts'
import { describeKafka } from './kafka.ts'

const closed = (server: BadBroker): BadBroker => {
  onTestFinished(() => server.close())
  return server
}

test('a silent server accepts a request, and answers nothing', async () => {
  const server = closed(await silentServer())
  expect(await listens(server.port)).toBe(true)
  expect(await answers(server.port)).toBe(false)
  expect(server.connections).toBe(2)
  expect(server.received).toBeGreaterThan(0)
})

describeKafka('a lying server', (kafka) => {
  test('answers as the real broker does, and names a port of its own choice for every broker', async () => {
    const silent = closed(await silentServer())
    const brokers = kafka.brokers.split(',')
    const server = closed(await lyingServer(brokers, silent.port))
    const [broker = ''] = brokers
    expect(await memberPorts(portOf(broker))).toContain(portOf(broker))
    const named = await memberPorts(server.port)
    expect(new Set(named)).toEqual(new Set([silent.port]))
    expect(named).toHaveLength(brokers.length)
  })
})
