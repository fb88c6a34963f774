import { expect, onTestFinished, test } from 'vitest'
import { describeNginx } from '../kit/nginx.ts'
import { until } from '../kit/until.ts'
import { type Behaviour, type StubGateway, startStub } from './stub-gateway.ts'

const HEADER = 'x-graphql-event-stream-token'
const NAMES = ['one', 'two', 'three']
const EACH = 20

/** As a gateway does: a token for a PUT, a stream without an end for a GET. */
const answersAs =
  (name: string): Behaviour =>
  ({ method }, response) => {
    if (method === 'PUT') response.writeHead(201).end(`${name}.${'x'.repeat(22)}`)
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data:\n\n')
  }

describeNginx('the reservations of single connection mode', (nginx) => {
  async function startThree() {
    const stubs: StubGateway[] = []
    for (const name of NAMES) stubs.push(await startStub(name, { does: answersAs(name) }))
    const front = await nginx.start({ instances: stubs.map(({ instance }) => instance) })
    const leave = new AbortController()
    onTestFinished(() => leave.abort())
    const open = async (headers: Record<string, string> = {}) => {
      await fetch(front.graphql, { headers, signal: leave.signal })
    }
    /** How many of 3 × 20 fall to each, one after the other. */
    const reserve = async () => {
      const before = stubs.map(({ seen }) => seen.length)
      for (let i = 0; i < EACH * NAMES.length; i++) await (await fetch(front.graphql, { method: 'PUT' })).text()
      return stubs.map(({ seen }, i) => seen.length - (before[i] ?? 0))
    }
    await until('two workers serve', () => front.workers().length === 2)
    return { stubs, front, open, reserve }
  }

  test('fall evenly to all instances, also where one has fewer streams of the other mode', async () => {
    const { stubs, open, reserve } = await startThree()
    await open()
    await open()
    expect(stubs.map(({ seen }) => seen.length).sort()).toEqual([0, 1, 1])
    expect(await reserve()).toEqual([EACH, EACH, EACH])
  })

  test('pass by an instance that is gone, and come back to it', async () => {
    const { stubs, front, reserve } = await startThree()
    await stubs[1]?.close()
    expect(await reserve()).toEqual([EACH * 1.5, 0, EACH * 1.5])
    expect(front.accessLog().filter(({ status }) => status !== '201')).toEqual([])
  })

  test('an operation that its instance has read and failed is given to no other', async () => {
    const cuts: Behaviour = (request) => void request.socket.destroy()
    const failing = await startStub('failing', { does: cuts })
    const others = [await startStub('two'), await startStub('three')]
    const front = await nginx.start({ instances: [failing, ...others].map(({ instance }) => instance) })
    const token = `failing.${'x'.repeat(22)}`
    for (const search of ['', `?token=${token}`]) {
      const headers = { 'content-type': 'application/json', ...(search === '' && { [HEADER]: token }) }
      const body = JSON.stringify({ query: 'mutation { pay }', extensions: { operationId: '1' } })
      expect((await fetch(front.graphql + search, { method: 'POST', headers, body })).status).toBe(502)
    }
    expect([failing, ...others].map(({ seen }) => seen.length)).toEqual([2, 0, 0])
  })
})
