import { type Client, type ClientOptions, createClient, type ExecutionResult } from 'graphql-sse'
import { expect } from 'vitest'
import type { TestGateway } from '../kit/gateway.ts'
import { until } from '../kit/until.ts'
import type { Probe } from '../transport/probe-schema.ts'

/*
 * What graphql-sse's own tests of its handler and client ask of a server, by its protocol, in cases of our own: each runs
 * with the real client or with single requests, directly and through Nginx.
 */

export interface World {
  readonly gateway: TestGateway
  readonly probe: Probe
  /** The URL of GraphQL: the gateway's, or Nginx's in front of it. */
  readonly url: string
}

interface Case {
  readonly name: string
  readonly run: (world: World) => Promise<void>
}

/** What a case has opened. */
const atEnd: (() => void)[] = []

const HEADER = 'x-graphql-event-stream-token'
const STREAM = { accept: 'text/event-stream' }

type Asked = { method?: string; search?: string; headers?: Record<string, string>; body?: object }

/** A request of its own; what it opens is aborted when the test ends. */
async function ask(url: string, { method = 'GET', search = '', headers = {}, body }: Asked): Promise<Response> {
  const control = new AbortController()
  atEnd.push(() => control.abort())
  return await fetch(url + search, {
    method,
    signal: control.signal,
    headers: { ...(body && { 'content-type': 'application/json; charset=utf-8' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
}

/** The code of an answer. */
async function codeOf(response: Response): Promise<unknown> {
  const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] }
  return errors[0]?.extensions.code
}

interface Message {
  readonly event: string
  readonly data: { readonly id?: string; readonly payload?: ExecutionResult } & ExecutionResult
}

/** Reads the named events of a stream as they come. */
function reading(response: Response) {
  const told = { messages: [] as Message[], ended: false }
  void (async () => {
    try {
      let text = ''
      for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
        text += part
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) {
          const [, event] = /^event: (.*)$/m.exec(block) ?? []
          const [, data = ''] = /^data: ?(.*)$/m.exec(block) ?? []
          if (event) told.messages.push({ event, data: data === '' ? {} : JSON.parse(data) })
        }
      }
    } catch {
      // Aborted at the end of the test.
    }
    told.ended = true
  })()
  return told
}

async function reserve(url: string): Promise<Record<string, string>> {
  const response = await ask(url, { method: 'PUT' })
  expect(response.status).toBe(201)
  return { [HEADER]: await response.text() }
}

async function open(url: string) {
  const headers = await reserve(url)
  const response = await ask(url, { headers: { ...STREAM, ...headers } })
  expect(response.status).toBe(200)
  return { headers, told: reading(response) }
}

const start = (url: string, headers: Record<string, string>, operationId: string, query: string) =>
  ask(url, { method: 'POST', headers, body: { query, extensions: { operationId } } })

type Options = { singleConnection?: boolean; lazy?: boolean; retryAttempts?: number; lazyCloseTimeout?: number }

function clientOf(url: string, options: Options = {}) {
  const requests: string[] = []
  const client = createClient({
    url,
    retryAttempts: 0,
    retry: async () => {},
    onNonLazyError: () => {},
    fetchFn: async (input: string, init: RequestInit) => {
      const response = await fetch(input, init)
      requests.push(`${init.method} ${response.status}`)
      return response
    },
    ...options,
  } as unknown as ClientOptions<false>)
  atEnd.push(() => client.dispose())
  return { client, requests }
}

function run(client: Client<false>, query: string) {
  const told = { results: [] as ExecutionResult[], error: undefined as unknown, complete: false, stop: () => {} }
  told.stop = client.subscribe(
    { query },
    {
      next: (result) => void told.results.push(result as ExecutionResult),
      error: (error) => {
        told.error = error
      },
      complete: () => {
        told.complete = true
      },
    },
  )
  return told
}

/** Reservations that nobody opens expire later. */
const untilIdle = ({ gateway, probe }: World) =>
  until('nothing is left', async () => {
    const counts = ['sluice_subscribers', 'sluice_streams', 'sluice_single_streams']
    const left = await Promise.all(counts.map((name) => gateway.metric(name)))
    return left.every((count) => count === 0) && probe.open === 0
  })

const COUNT = 'subscription { count(to: 3) }'
const SILENT = 'subscription { silent }'
const ORDERS = 'subscription { orderIds }'

const OF_BOTH_MODES: readonly Case[] = [true, false].flatMap((singleConnection) => {
  const mode = singleConnection ? 'single connection' : 'distinct connections'
  const of = (name: string, test: Case['run']): Case => ({ name: `${mode}, client: ${name}`, run: test })
  return [
    of('a query gives one result, and completes', async ({ url }) => {
      const told = run(clientOf(url, { singleConnection }).client, '{ hello }')
      await until('it is complete', () => told.complete)
      expect([told.results, told.error]).toEqual([[{ data: { hello: 'world' } }], undefined])
    }),
    of('a mutation is executed once', async ({ url, probe }) => {
      const before = probe.shouts
      const told = run(clientOf(url, { singleConnection }).client, 'mutation { shout(text: "hey") }')
      await until('it is complete', () => told.complete)
      expect([told.results, probe.shouts - before]).toEqual([[{ data: { shout: 'HEY' } }], 1])
    }),
    of('a finite subscription gives its results in order, and completes', async ({ url }) => {
      const told = run(clientOf(url, { singleConnection }).client, COUNT)
      await until('it is complete', () => told.complete)
      expect(told.results).toEqual([1, 2, 3].map((count) => ({ data: { count } })))
    }),
    of('an iterator gives the same, and its return ends the subscription', async (world) => {
      const { client } = clientOf(world.url, { singleConnection })
      const got: unknown[] = []
      for await (const { data } of client.iterate({ query: COUNT })) got.push(data)
      expect(got).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }])
      for await (const { data } of client.iterate({ query: 'subscription { endless }' })) {
        expect(data).toBeDefined()
        break
      }
      await untilIdle(world)
    }),
    of('a subscribe that throws is a result with errors, once, and no outage', async ({ url, gateway }) => {
      const { client, requests } = clientOf(url, { singleConnection, lazy: false, retryAttempts: 5 })
      const told = run(client, 'subscription { refusesInItsWords }')
      await until('it is complete', () => told.complete)
      expect(told.error).toBeUndefined()
      expect(told.results).toEqual([
        {
          errors: [
            expect.objectContaining({ message: 'The shop is closed', extensions: { code: 'SUBSCRIBE_FAILED' } }),
          ],
        },
      ])
      expect(requests.filter((request) => request.startsWith('POST'))).toEqual([
        singleConnection ? 'POST 202' : 'POST 200',
      ])
      expect(gateway.engine.subscribers).toBe(0)
    }),
    of('a source that breaks is a result with errors, and the end', async ({ url }) => {
      const told = run(clientOf(url, { singleConnection }).client, 'subscription { breaks }')
      await until('it is complete', () => told.complete)
      expect(told.results).toMatchObject([
        { data: { breaks: 1 } },
        { errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] },
      ])
    }),
    of('a subscription that is stopped while it runs is stopped at the server, and others go on', async (world) => {
      const { client, requests } = clientOf(world.url, { singleConnection })
      const one = run(client, SILENT)
      const other = run(client, ORDERS)
      await until('both run', async () => (await world.gateway.metric('sluice_subscribers')) === 2)
      // Through a proxy, a start whose answer has not come yet is not stopped by the client's giving it up.
      await until('it knows that', () => requests.filter((request) => request.startsWith('POST')).length === 2)
      one.stop()
      await until('one runs', async () => (await world.gateway.metric('sluice_subscribers')) === 1)
      await world.gateway.produce({ id: 'a' })
      await until('the other goes on', () => other.results.length === 1)
      expect([one.results, other.results]).toEqual([[], [{ data: { orderIds: 'a' } }]])
      other.stop()
      await untilIdle(world)
    }),
    of('forty that are stopped in the turn in which they start leave nothing behind', async (world) => {
      const { client } = clientOf(world.url, { singleConnection })
      for (let n = 0; n < 40; n++) {
        const told = run(client, SILENT)
        for (let turns = 0; turns < n % 4; turns++) await new Promise(setImmediate)
        told.stop()
      }
      const last = run(client, '{ hello }')
      await until('the last one is complete', () => last.complete)
      expect([last.results, last.error]).toEqual([[{ data: { hello: 'world' } }], undefined])
      await untilIdle(world)
    }),
    of('many at once do not mix', async ({ url }) => {
      const { client } = clientOf(url, { singleConnection })
      const all = Array.from({ length: 12 }, (_each, n) => run(client, `subscription { count(to: ${n}) }`))
      await until('all are complete', () => all.every(({ complete }) => complete))
      expect(all.map(({ results }) => results.length)).toEqual(Array.from({ length: 12 }, (_each, n) => n))
    }),
    of('a disposed client leaves nothing behind', async (world) => {
      const { client } = clientOf(world.url, { singleConnection })
      for (let n = 0; n < 4; n++) run(client, n % 2 ? SILENT : ORDERS)
      await until('all run', async () => (await world.gateway.metric('sluice_subscribers')) === 4)
      client.dispose()
      await untilIdle(world)
    }),
    of('an event that fails is a result with errors, and the next one follows', async ({ url, gateway, probe }) => {
      const { client } = clientOf(url, { singleConnection, retryAttempts: 5 })
      const told = run(client, 'subscription { failsOnTwo }')
      await until('it is complete', () => told.complete)
      expect(told.results.map(({ data, errors }) => [data?.failsOnTwo, errors?.length])).toEqual([
        [1, undefined],
        [undefined, 1],
        [3, undefined],
      ])
      expect([gateway.engine.subscribers, probe.open]).toEqual([0, 0])
    }),
    of('a document that is not valid is told', async ({ url }) => {
      const { client, requests } = clientOf(url, { singleConnection, retryAttempts: 0 })
      const told = run(client, 'subscription { nope }')
      await until('it is told', () => told.complete || told.error !== undefined)
      if (singleConnection) expect(String(told.error)).toContain('400')
      else expect(told.results[0]?.errors?.[0]?.extensions?.code).toBe('GRAPHQL_VALIDATION_FAILED')
      expect(requests.filter((request) => request.startsWith('POST'))).toHaveLength(1)
    }),
  ]
})

const OF_DISTINCT: readonly Case[] = [
  {
    name: 'distinct connections: a stream is a stream for GET and POST, and ends after complete',
    run: async ({ url }) => {
      for (const request of [
        { search: `?${new URLSearchParams({ query: COUNT })}`, headers: STREAM },
        { method: 'POST', headers: STREAM, body: { query: COUNT } },
      ]) {
        const response = await ask(url, request)
        expect([response.status, response.headers.get('content-type')]).toEqual([
          200,
          'text/event-stream; charset=utf-8',
        ])
        const told = reading(response)
        await until('it has ended', () => told.ended)
        expect(told.messages.map(({ event }) => event)).toEqual(['next', 'next', 'next', 'complete'])
      }
    },
  },
  {
    name: 'distinct connections: what is wrong with an operation is streamed',
    run: async ({ url }) => {
      for (const body of [{ query: '{' }, { query: '{ nope }' }, { query: '{ hello }', operationName: 'x' }]) {
        const response = await ask(url, { method: 'POST', headers: STREAM, body })
        const told = reading(response)
        await until('it has ended', () => told.ended)
        expect([response.status, told.messages.map(({ event }) => event)]).toEqual([200, ['next', 'complete']])
        expect(told.messages[0]?.data.errors).toHaveLength(1)
      }
    },
  },
  {
    name: 'distinct connections: what is wrong with the request has its status',
    run: async ({ url }) => {
      const statusOf = async (asked: Asked) => (await ask(url, asked)).status
      expect(await statusOf({ headers: STREAM })).toBe(400)
      expect(await statusOf({ method: 'POST', headers: STREAM, body: {} })).toBe(400)
      expect(await statusOf({ method: 'POST', headers: STREAM, body: { query: { a: 1 } } })).toBe(400)
      expect(await statusOf({ method: 'POST', headers: STREAM, body: { query: '{ hello }', variables: 1 } })).toBe(400)
      expect(await statusOf({ search: '?query={hello}&variables={', headers: STREAM })).toBe(400)
      expect(await statusOf({ search: '?query=mutation{shout(text:"a")}', headers: STREAM })).toBe(405)
      expect(await statusOf({ method: 'PATCH', headers: STREAM })).toBe(405)
      expect(await statusOf({ search: '?query={hello}', headers: { accept: 'image/png' } })).toBe(406)
    },
  },
  {
    name: 'distinct connections: a client that closes ends its source',
    run: async (world) => {
      const control = new AbortController()
      const search = `?${new URLSearchParams({ query: SILENT })}`
      await fetch(world.url + search, { headers: STREAM, signal: control.signal })
      await until('it runs', () => world.probe.open === 1)
      control.abort()
      await untilIdle(world)
    },
  },
]

const OF_SINGLE: readonly Case[] = [
  {
    name: 'single connection: a token is given as text to who takes text',
    run: async ({ url }) => {
      for (const accept of ['*/*', 'text/plain', 'text/plain; charset=utf-8', 'text/*;q=0.1, application/json']) {
        const response = await ask(url, { method: 'PUT', headers: { accept } })
        expect([response.status, response.headers.get('content-type')]).toEqual([201, 'text/plain; charset=utf-8'])
        expect(await response.text()).toMatch(/^test\.[\w-]{22}$/)
      }
      expect((await ask(url, { method: 'PUT', headers: { accept: 'application/json' } })).status).toBe(406)
    },
  },
  {
    name: 'single connection: a token that nobody has is not found, in header and URL, for each method',
    run: async ({ url }) => {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const body = method === 'POST' ? { body: { query: '{ hello }', extensions: { operationId: '1' } } } : {}
        for (const where of [
          { headers: { ...STREAM, [HEADER]: 'test.x' } },
          { search: '?token=test.x', headers: STREAM },
        ]) {
          const response = await ask(url, { method, ...body, ...where })
          expect([method, response.status, await codeOf(response)]).toEqual([method, 404, 'STREAM_NOT_FOUND'])
        }
      }
    },
  },
  {
    name: 'single connection: a stream without a token is one of distinct connections',
    run: async ({ url }) => {
      const told = reading(await ask(url, { search: '?query={hello}', headers: STREAM }))
      await until('it has ended', () => told.ended)
      expect(told.messages[0]?.data).toEqual({ data: { hello: 'world' } })
    },
  },
  {
    name: 'single connection: a token opens one stream, and a second open is a conflict',
    run: async ({ url }) => {
      const { headers } = await open(url)
      const second = await ask(url, { headers: { ...STREAM, ...headers } })
      expect([second.status, await codeOf(second)]).toEqual([409, 'STREAM_ALREADY_OPEN'])
    },
  },
  {
    name: 'single connection: an operation needs an id of its own',
    run: async ({ url, gateway }) => {
      const { headers } = await open(url)
      for (const extensions of [undefined, {}, { operationId: '' }, { operationId: 1 }, { operationId: null }]) {
        const response = await ask(url, { method: 'POST', headers, body: { query: '{ hello }', extensions } })
        expect([response.status, await codeOf(response)]).toEqual([400, 'BAD_REQUEST'])
      }
      expect((await start(url, headers, '1', SILENT)).status).toBe(202)
      const same = await start(url, headers, '1', SILENT)
      expect([same.status, await codeOf(same)]).toEqual([409, 'OPERATION_ID_IN_USE'])
      expect(await gateway.metric('sluice_subscribers')).toBe(1)
    },
  },
  {
    name: 'single connection: operations run on the stream, each with its id, by POST and GET',
    run: async ({ url }) => {
      const { headers, told } = await open(url)
      expect((await start(url, headers, 'one', '{ hello }')).status).toBe(202)
      const parameters = { query: COUNT, extensions: JSON.stringify({ operationId: 'two' }) }
      expect((await ask(url, { search: `?${new URLSearchParams(parameters)}`, headers })).status).toBe(202)
      await until('all came', () => told.messages.length === 6)
      const of = (id: string) => told.messages.filter(({ data }) => data.id === id)
      expect(of('one')).toEqual([
        { event: 'next', data: { id: 'one', payload: { data: { hello: 'world' } } } },
        { event: 'complete', data: { id: 'one' } },
      ])
      expect(of('two').map(({ data }) => data.payload?.data)).toEqual([
        { count: 1 },
        { count: 2 },
        { count: 3 },
        undefined,
      ])
    },
  },
  {
    name: 'single connection: results wait for a stream that opens late',
    run: async ({ url }) => {
      const headers = await reserve(url)
      expect((await start(url, headers, '1', '{ hello }')).status).toBe(202)
      expect((await start(url, headers, '2', 'subscription { refuses }')).status).toBe(202)
      const told = reading(await ask(url, { headers: { ...STREAM, ...headers } }))
      await until('all came', () => told.messages.length === 4)
      expect(told.messages.map(({ event, data }) => `${event} ${data.id}`)).toEqual([
        'next 1',
        'complete 1',
        'next 2',
        'complete 2',
      ])
    },
  },
  {
    name: 'single connection: what is wrong with an operation is the answer of its request',
    run: async ({ url, gateway }) => {
      const { headers } = await open(url)
      for (const [query, code] of [
        ['{', 'GRAPHQL_PARSE_FAILED'],
        ['{ nope }', 'GRAPHQL_VALIDATION_FAILED'],
        ['subscription ($to: Int!) { count(to: $to) }', 'BAD_USER_INPUT'],
        ['subscription { orderIds(after: "x") }', 'CURSOR_INVALID'],
      ] as const) {
        const response = await start(url, headers, '1', query)
        expect([response.status, await codeOf(response)]).toEqual([400, code])
      }
      expect((await start(url, headers, '1', ORDERS)).status).toBe(202)
      expect(await gateway.metric('sluice_subscribers')).toBe(1)
    },
  },
  {
    name: 'single connection: a subscribe that throws is accepted, and told on the stream',
    run: async ({ url }) => {
      const { headers, told } = await open(url)
      const response = await start(url, headers, '1', 'subscription { refuses }')
      expect([response.status, await response.text()]).toEqual([202, ''])
      await until('it was told', () => told.messages.length === 2)
      expect(told.messages).toMatchObject([
        { event: 'next', data: { id: '1', payload: { errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] } } },
        { event: 'complete', data: { id: '1' } },
      ])
    },
  },
  {
    name: 'single connection: DELETE stops an operation, and is as good for one that is not there',
    run: async ({ url, gateway, probe }) => {
      const { headers } = await open(url)
      await start(url, headers, '1', SILENT)
      for (const [search, status] of [
        ['?operationId=1', 200],
        ['?operationId=unknown', 200],
        ['', 400],
        ['?operationId=', 400],
      ] as const) {
        expect((await ask(url, { method: 'DELETE', search, headers })).status).toBe(status)
      }
      await until('its source has ended', () => probe.open === 0)
      expect(await gateway.metric('sluice_subscribers')).toBe(0)
    },
  },
  {
    name: 'single connection: a DELETE before its operation wins',
    run: async ({ url, gateway }) => {
      const { headers, told } = await open(url)
      await ask(url, { method: 'DELETE', search: '?operationId=1', headers })
      expect((await start(url, headers, '1', SILENT)).status).toBe(202)
      await until('it is complete', () => told.messages.length === 1)
      expect(told.messages).toEqual([{ event: 'complete', data: { id: '1' } }])
      expect(await gateway.metric('sluice_subscribers')).toBe(0)
    },
  },
  {
    name: 'single connection: when the stream closes, all its operations end, and its token is nobody’s',
    run: async (world) => {
      const headers = await reserve(world.url)
      const control = new AbortController()
      await fetch(world.url, { headers: { ...STREAM, ...headers }, signal: control.signal })
      for (const id of ['1', '2', '3']) await start(world.url, headers, id, SILENT)
      await until('all run', () => world.probe.open === 3)
      control.abort()
      await untilIdle(world)
      expect((await start(world.url, headers, '4', SILENT)).status).toBe(404)
    },
  },
  {
    name: 'single connection, client: lazy, it connects with the first operation, and leaves after the last',
    run: async (world) => {
      const { client, requests } = clientOf(world.url, { singleConnection: true })
      expect(requests).toEqual([])
      const all = [run(client, SILENT), run(client, ORDERS)]
      await until('both run', async () => (await world.gateway.metric('sluice_subscribers')) === 2)
      for (const each of all) each.stop()
      await untilIdle(world)
      const again = run(client, '{ hello }')
      await until('it is complete', () => again.complete)
      expect(requests.filter((request) => request === 'PUT 201')).toHaveLength(2)
    },
  },
  {
    name: 'single connection, client: not lazy, it connects at once, and stays',
    run: async ({ url, gateway }) => {
      const { client, requests } = clientOf(url, { singleConnection: true, lazy: false })
      await until('it is open', async () => (await gateway.metric('sluice_single_streams')) === 1)
      for (let n = 0; n < 3; n++) {
        const told = run(client, '{ hello }')
        await until('it is complete', () => told.complete)
      }
      expect(requests.filter((request) => request === 'PUT 201')).toHaveLength(1)
      expect(await gateway.metric('sluice_single_streams')).toBe(1)
    },
  },
]

const CASES: readonly Case[] = [...OF_BOTH_MODES, ...OF_DISTINCT, ...OF_SINGLE]

/** Runs all cases, one after the other: nothing of one may be left for the next. @returns how many there are. */
export async function runCases(world: World): Promise<number> {
  for (const { name, run: runCase } of CASES) {
    try {
      await runCase(world)
      for (const end of atEnd.splice(0)) end()
      await untilIdle(world)
    } catch (error) {
      throw new Error(`In the case "${name}": ${(error as Error).message}`, { cause: error })
    }
  }
  return CASES.length
}
