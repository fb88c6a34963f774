/** The ways in: a request of each kind that a client can make of the gateway, and how its verdict is read. */
import type { RouteName } from '../../../src/server/endpoint.ts'
import type { TestGateway } from '../../kit/gateway.ts'
import { type RawRequest, RawStream } from '../../kit/raw-stream.ts'

/** The kinds of operations. */
type Kind = 'query' | 'mutation' | 'subscription'

/** What a request is made of, beside what its way adds. */
export interface Asked {
  /** Credentials and the like. */
  readonly headers: Readonly<Record<string, string>>
  readonly query: string
  /** It places an order. */
  readonly mutation: string
  /** With its start as the variable `after`. */
  readonly subscription: string
  readonly extensions: Readonly<Record<string, unknown>>
  /** Where a replay begins. */
  readonly cursor: string
}

export interface Way {
  readonly route: RouteName | 'ticket'
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** The media type that its answer has. */
  readonly mediaType?: string
  /** It brings an operation: a rule about operations holds for it. */
  readonly operation?: Kind
  /** It opens a stream. */
  readonly opens?: true
  /** It goes on from a cursor. */
  readonly resumes?: true
  /** It is for a stream that is reserved before, or with a ticket: made while the rule is not broken yet. */
  readonly needs?: 'reservation' | 'ticket'
  readonly path?: '/ticket'
  /** Where it is accepted, what comes of it counts: the result on the reserved stream, or the stream of the ticket. */
  readonly leadsTo?: 'result' | 'stream of the ticket'
  /** @param token of the reservation, or the ticket. */
  request(asked: Asked, token: string): RawRequest
}

const STREAM = 'text/event-stream'
const JSON_TYPE = 'application/json'
const GRAPHQL_TYPE = 'application/graphql-response+json'
const TOKEN = 'x-graphql-event-stream-token'
let operations = 0

function post(accept: string, operation: Kind, more: Partial<Way> = {}): Way {
  return {
    route: 'operation',
    method: 'POST',
    mediaType: accept,
    operation,
    request: (asked) => ({ method: 'POST', headers: { ...asked.headers, accept }, body: bodyOf(asked, operation) }),
    ...more,
  }
}

function get(accept: string, operation: Kind, more: Partial<Way> = {}): Way {
  return {
    route: 'operation',
    method: 'GET',
    mediaType: accept,
    operation,
    request: (asked) => ({ headers: { ...asked.headers, accept }, search: searchOf(asked, operation) }),
    ...more,
  }
}

function bodyOf(asked: Asked, operation: Kind, extensions: object = {}) {
  return { query: asked[operation], extensions: { ...asked.extensions, ...extensions } }
}

function searchOf(asked: Asked, operation: Kind, extensions: object = {}): string {
  const { query, extensions: all } = bodyOf(asked, operation, extensions)
  return `?${new URLSearchParams({ query, extensions: JSON.stringify(all) })}`
}

const RESUMES = { opens: true, resumes: true } as const

export const WAYS: Readonly<Record<string, Way>> = {
  'POST for JSON': post(JSON_TYPE, 'query'),
  'POST for a GraphQL response': post(GRAPHQL_TYPE, 'query'),
  'GET for JSON': get(JSON_TYPE, 'query'),
  'GET for a GraphQL response': get(GRAPHQL_TYPE, 'query'),
  'a query as a stream by POST': post(STREAM, 'query'),
  'a query as a stream by GET': get(STREAM, 'query'),
  'a mutation by POST for JSON': post(JSON_TYPE, 'mutation'),
  'a mutation by POST for a GraphQL response': post(GRAPHQL_TYPE, 'mutation'),
  'a mutation as a stream': post(STREAM, 'mutation'),
  'distinct POST': post(STREAM, 'subscription', { opens: true }),
  'distinct GET, as EventSource sends it': get(STREAM, 'subscription', { opens: true }),
  'replay by Last-Event-ID, POST': post(STREAM, 'subscription', {
    ...RESUMES,
    request: (asked) => ({
      method: 'POST',
      headers: { ...asked.headers, accept: STREAM, 'last-event-id': asked.cursor },
      body: bodyOf(asked, 'subscription'),
    }),
  }),
  'replay by Last-Event-ID, GET': get(STREAM, 'subscription', {
    ...RESUMES,
    request: (asked) => ({
      headers: { ...asked.headers, accept: STREAM, 'last-event-id': asked.cursor },
      search: searchOf(asked, 'subscription'),
    }),
  }),
  'replay by lastEventId in the URL': get(STREAM, 'subscription', {
    ...RESUMES,
    request: (asked) => ({
      headers: { ...asked.headers, accept: STREAM },
      search: `${searchOf(asked, 'subscription')}&lastEventId=${encodeURIComponent(asked.cursor)}`,
    }),
  }),
  'replay by extensions': post(STREAM, 'subscription', {
    ...RESUMES,
    request: (asked) => ({
      method: 'POST',
      headers: { ...asked.headers, accept: STREAM },
      body: bodyOf(asked, 'subscription', { lastEventId: asked.cursor }),
    }),
  }),
  'replay by the argument': post(STREAM, 'subscription', {
    ...RESUMES,
    request: (asked) => ({
      method: 'POST',
      headers: { ...asked.headers, accept: STREAM },
      body: { ...bodyOf(asked, 'subscription'), variables: { after: asked.cursor } },
    }),
  }),
  reservation: {
    route: 'reserve',
    method: 'PUT',
    request: ({ headers }) => ({ method: 'PUT', headers }),
  },
  'opening of a reserved stream, GET': {
    route: 'single',
    method: 'GET',
    needs: 'reservation',
    opens: true,
    request: ({ headers }, token) => ({ headers: { ...headers, accept: STREAM, [TOKEN]: token } }),
  },
  'opening of a reserved stream, token in the URL': {
    route: 'single',
    method: 'GET',
    needs: 'reservation',
    opens: true,
    request: ({ headers }, token) => ({ headers: { ...headers, accept: STREAM }, search: `?token=${token}` }),
  },
  'opening of a reserved stream, POST': {
    route: 'single',
    method: 'POST',
    needs: 'reservation',
    opens: true,
    request: ({ headers }, token) => ({ method: 'POST', headers: { ...headers, accept: STREAM, [TOKEN]: token } }),
  },
  'operation of a reserved stream, POST': {
    route: 'single',
    method: 'POST',
    operation: 'subscription',
    needs: 'reservation',
    request: (asked, token) => ({
      method: 'POST',
      headers: { ...asked.headers, accept: STREAM, [TOKEN]: token },
      body: bodyOf(asked, 'subscription', { operationId: `${++operations}` }),
    }),
  },
  'operation of a reserved stream, GET': {
    route: 'single',
    method: 'GET',
    operation: 'query',
    needs: 'reservation',
    leadsTo: 'result',
    request: (asked, token) => ({
      headers: { ...asked.headers, accept: JSON_TYPE, [TOKEN]: token },
      search: searchOf(asked, 'query', { operationId: `${++operations}` }),
    }),
  },
  'mutation of a reserved stream': {
    route: 'single',
    method: 'POST',
    operation: 'mutation',
    needs: 'reservation',
    leadsTo: 'result',
    request: (asked, token) => ({
      method: 'POST',
      headers: { ...asked.headers, accept: JSON_TYPE, [TOKEN]: token },
      body: bodyOf(asked, 'mutation', { operationId: `${++operations}` }),
    }),
  },
  'replay on a reserved stream': {
    route: 'single',
    method: 'POST',
    operation: 'subscription',
    resumes: true,
    needs: 'reservation',
    request: (asked, token) => ({
      method: 'POST',
      headers: { ...asked.headers, accept: STREAM, [TOKEN]: token },
      body: bodyOf(asked, 'subscription', { operationId: `${++operations}`, lastEventId: asked.cursor }),
    }),
  },
  'ticket for an operation': {
    route: 'ticket',
    method: 'POST',
    path: '/ticket',
    operation: 'subscription',
    leadsTo: 'stream of the ticket',
    request: (asked) => ({ method: 'POST', headers: asked.headers, body: bodyOf(asked, 'subscription') }),
  },
  'EventSource with a ticket': {
    route: 'operation',
    method: 'GET',
    mediaType: STREAM,
    operation: 'subscription',
    needs: 'ticket',
    opens: true,
    request: (_asked, ticket) => ({ headers: { accept: STREAM }, search: `?ticket=${ticket}` }),
  },
  'end of an operation': {
    route: 'stop',
    method: 'DELETE',
    needs: 'reservation',
    request: ({ headers }, token) => ({
      method: 'DELETE',
      headers: { ...headers, [TOKEN]: token },
      search: '?operationId=1',
    }),
  },
}

/** What a request is told: `OK`, or the code of its refusal; `retry` for a native EventSource that is to come back. */
export async function verdictOf(gateway: TestGateway, way: Way, asked: Asked, token: string): Promise<string> {
  const url = gateway.url + (way.path ?? '/graphql')
  const answer = await RawStream.send(url, way.request(asked, token))
  const verdict = await readVerdict(answer)
  if (verdict !== 'OK' || !way.leadsTo) return verdict
  if (way.leadsTo === 'stream of the ticket') {
    const request = { headers: { accept: STREAM }, search: `?ticket=${answer.json.ticket}` }
    return await readVerdict(await RawStream.send(gateway.graphql, request))
  }
  const headers = { ...asked.headers, accept: STREAM, [TOKEN]: token }
  const stream = await RawStream.send(gateway.graphql, { headers })
  const [result] = (await stream.untilResults(1)) as { payload?: RawStream['results'][number] }[]
  stream.socket.destroy()
  return codeOf(result?.payload) ?? 'OK'
}

async function readVerdict(answer: RawStream): Promise<string> {
  await answer.untilHead()
  const isStream = answer.headers['content-type']?.startsWith(STREAM) === true
  if (isStream) await answer.untilBlocks(1)
  else await answer.untilWhole()
  const verdict = isStream ? verdictOfStream(answer) : verdictOfBody(answer)
  answer.socket.destroy()
  return verdict
}

function verdictOfStream(answer: RawStream): string {
  // The first block of an open stream has an empty `data` beside its `retry`.
  if (answer.blocks.every(({ retry, data }) => retry !== undefined && data === undefined)) return 'retry'
  return codeOf(answer.results[0]) ?? 'OK'
}

function verdictOfBody(answer: RawStream): string {
  if (answer.body === '' || answer.status === 201) return answer.status < 300 ? 'OK' : `${answer.status}`
  return codeOf(answer.json) ?? 'OK'
}

function codeOf(result: RawStream['results'][number] | undefined): string | undefined {
  const [error] = result?.errors ?? []
  return error && String(error.extensions?.code)
}
