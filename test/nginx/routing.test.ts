import { expect, test } from 'vitest'
import { describeNginx } from '../kit/nginx.ts'
import { type Behaviour, type StubGateway, startStub } from './stub-gateway.ts'

const HEADER = 'x-graphql-event-stream-token'
const RANDOM = 'q83vEjRWeJA_-3qu1tY0gQ'
/** A name may be a word that means something to Nginx, begin with another, have dots, and be as long as this. */
const NAMES = ['gateway-a', 'default', `gateway-a.tcp${'0'.repeat(50)}`]

describeNginx('single connection mode behind Nginx', (nginx) => {
  async function startThree(does?: Behaviour) {
    const stubs: StubGateway[] = []
    for (const [i, name] of NAMES.entries()) {
      const socket = i === 0 ? { socket: nginx.socket(name) } : {}
      stubs.push(await startStub(name, { ...socket, ...(does && { does }) }))
    }
    const front = await nginx.start({ instances: stubs.map(({ instance }) => instance) })
    /** Who answers; each request comes over a connection of its own. */
    const ask = async (search: string, init: RequestInit = {}): Promise<string> => {
      const response = await fetch(front.graphql + search, {
        ...init,
        headers: { connection: 'close', ...(init.headers as Record<string, string>) },
      })
      return response.text()
    }
    return { stubs, front, ask }
  }
  /** Twelve at a time, each open for long enough that the next goes elsewhere. */
  const many = (ask: () => Promise<string>) => Promise.all(Array.from({ length: 12 }, ask))
  const slowly: Behaviour = (_request, response) => void setTimeout(() => response.end(), 200)

  test.each(['GET', 'POST', 'DELETE'])('a %s reaches the instance that its token names', async (method) => {
    const { ask } = await startThree()
    for (let round = 0; round < 5; round++) {
      for (const name of NAMES) {
        const token = `${name}.${RANDOM}${round}`
        expect(await ask('', { method, headers: { [HEADER]: token } })).toBe(name)
        expect(await ask(`?operationId=1&token=${token}`, { method })).toBe(name)
        expect(await ask(`?token=${token}`, { method, headers: { [HEADER]: token } })).toBe(name)
      }
    }
  })

  test('a PUT is balanced over all of them, whatever token it carries', async () => {
    const { ask, stubs } = await startThree(slowly)
    for (const token of ['', `${NAMES[0]}.${RANDOM}`]) {
      await many(() => ask(token && `?token=${token}`, { method: 'PUT', headers: { [HEADER]: token } }))
    }
    expect(stubs.map(({ seen }) => seen.length)).toEqual([8, 8, 8])
  })

  test.each([
    ['an unknown instance', `gateway-z.${RANDOM}`],
    ['a host', `127.0.0.1:4001.${RANDOM}`],
    ['a host after an at sign', `gateway-a@127.0.0.1.${RANDOM}`],
    ['a unix socket', `unix:/run/sluice/gateway-a.sock.${RANDOM}`],
    ['the group of another', `sluice_gateway-a.${RANDOM}`],
    ['an instance in capitals', `GATEWAY-A.${RANDOM}`],
    ['an instance without the rest', 'gateway-a'],
    ['an instance with an empty rest', 'gateway-a.'],
    ['an instance with dots around it', `.gateway-a.${RANDOM}`],
    ['an instance with two dots behind it', `gateway-a..${RANDOM}`],
    ['an instance with more behind the rest', `gateway-a.${RANDOM}.x`],
    ['an encoded token', `gateway%2Da.${RANDOM}`],
    ['an endless token', `gateway-a.${'x'.repeat(129)}`],
  ])('a token that names %s goes to any instance', async (_what, token) => {
    const { ask, stubs } = await startThree(slowly)
    for (const search of ['', `?token=${token}`]) {
      const before = stubs.map(({ seen }) => seen.length)
      await many(() => ask(search, search ? {} : { headers: { [HEADER]: token } }))
      for (const [i, { seen }] of stubs.entries()) expect(seen.length, NAMES[i]).toBeGreaterThan(before[i]!)
    }
  })

  test('the header goes before the query, and the gateway sees both', async () => {
    const { ask, stubs } = await startThree()
    const init = { headers: { [HEADER]: `${NAMES[0]}.${RANDOM}` } }
    expect(await ask(`?token=${NAMES[1]}.${RANDOM}`, init)).toBe(NAMES[0])
    expect(stubs[0]!.seen[0]).toMatchObject({
      url: `/graphql?token=${NAMES[1]}.${RANDOM}`,
      headers: { [HEADER]: `${NAMES[0]}.${RANDOM}` },
    })
  })

  test('the token of an instance that is gone goes to another, which answers 404', async () => {
    const { ask, stubs } = await startThree()
    await stubs[0]!.close()
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await ask('', { method, headers: { [HEADER]: `${NAMES[0]}.${RANDOM}` } })
      expect(NAMES.slice(1)).toContain(answer)
    }
    // The others' tokens reach them as before.
    for (const name of NAMES.slice(1)) expect(await ask(`?token=${name}.${RANDOM}`)).toBe(name)
  })
})
