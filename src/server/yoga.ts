import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ExecutionResult, GraphQLSchema } from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import { GRAPHQL_RESPONSE, HTML } from '../protocol/accept.ts'
import { jsonLine } from '../protocol/json-line.ts'
import { type AnswerResponse, answerBody, sendBody } from '../transport/answer-body.ts'
import type { AnswerBudget } from '../transport/answer-budget.ts'
import type { Executed } from '../transport/operations.ts'
import { GRAPHIQL_TABS } from './graphiql-tabs.ts'
import { pagePolicy } from './security-headers.ts'

/** No part of any request: Yoga sees none of a client's own, so that nothing in one can make it fail. */
const ORIGIN = 'http://gateway'
const NO_OPERATION = JSON.stringify({ query: '{ __typename }' })

/** GraphQL over HTTP, and GraphiQL. */
export interface YogaHttp {
  /** Answers with the result of an operation. @throws Error if Yoga fails, before anything of the answer is sent. */
  answer(response: ServerResponse, mediaType: string, executed: Executed): Promise<void>
  /** Answers with GraphiQL's page. @throws Error as well, and SluiceError `TOO_MANY_ANSWERS`. */
  answerPage(response: ServerResponse): Promise<void>
}

interface YogaContext {
  /** Absent for GraphiQL's page. */
  readonly result?: ReadyResult
}

/** Yoga sends what `stringify` gives. */
type ReadyResult = ExecutionResult & { stringify(): string }

/**
 * Yoga as the HTTP server for GraphQL over HTTP, and for GraphiQL. It is handed the result: admission and execution
 * are the same for every transport, and not its own. Its answer comes as a value, so that one that fails is not sent.
 */
export function createYogaHttp(schema: GraphQLSchema, path: string, answers: AnswerBudget): YogaHttp {
  const yoga = createYoga<YogaContext>({
    schema,
    graphqlEndpoint: path,
    plugins: [useResult()],
    graphiql: { title: 'Sluice', defaultTabs: [...GRAPHIQL_TABS] },
    // Some 50 MiB of memory, which only those need who ask for the page.
    renderGraphiQL: async (options) => (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options),
    maskedErrors: false,
    // The server has these, the same for every path.
    cors: false,
    logging: false,
    landingPage: false,
    batching: false,
    multipart: false,
    parserAndValidationCache: false,
  })
  const url = ORIGIN + path
  /** Nine megabytes, and the same for everybody: requests share its bytes. */
  let pages: Promise<{ readonly plain: Answer; readonly gzipped: Answer }> | undefined
  const render = async () => {
    const page = await read(await yoga.fetch(new yoga.fetchAPI.Request(url, { headers: { accept: HTML } }), {}))
    const policy = { 'content-security-policy': pagePolicy(page.body.toString()) }
    const plain = { ...page, headers: { ...page.headers, ...policy } }
    return { plain, gzipped: await gzipped(plain) }
  }
  const renderPages = async () => {
    pages ??= render()
    try {
      return await pages
    } catch (error) {
      pages = undefined
      throw error
    }
  }
  return {
    async answer(response, mediaType, executed) {
      const headers = { accept: mediaType, 'content-type': 'application/json' }
      const request = new yoga.fetchAPI.Request(url, { method: 'POST', headers, body: NO_OPERATION })
      const {
        status,
        headers: own,
        body,
      } = await read(await yoga.fetch(request, { result: readyResult(mediaType, executed) }))
      answerBody(response, status, own, body)
    },
    async answerPage(response) {
      const pages = await renderPages()
      const { status, headers, body } = (response as AnswerResponse).codings?.prefersGzip ? pages.gzipped : pages.plain
      answers.demandSpare(body.length)
      sendBody(response, status, headers, body)
    },
  }
}

function useResult(): Plugin<YogaContext> {
  return {
    onParams({ context, setResult }) {
      const { result } = context as YogaContext
      if (!result) throw new Error('An operation came round admission')
      setResult(result)
    },
  }
}

/**
 * By GraphQL over HTTP an operation that is refused before it runs has a status of its own where the media type is
 * `application/graphql-response+json`; everything else is 200.
 */
function readyResult(mediaType: string, { json, errors }: Executed): ReadyResult {
  const status = errors && mediaType === GRAPHQL_RESPONSE ? 400 : 200
  return { extensions: { http: { status } }, stringify: () => json ?? jsonLine({ errors }) }
}

/** An answer of Yoga's, as a value. */
interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** @throws Error for an answer by which Yoga says that it has failed: that is for the log. */
async function read(answer: Response): Promise<Answer> {
  const body = Buffer.from(await answer.arrayBuffer())
  if (answer.status >= 500) throw new Error(`Yoga answered ${answer.status}: ${body}`)
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body }
}

/** Compressed, for the clients that accept it. */
async function gzipped({ status, headers, body }: Answer): Promise<Answer> {
  return { status, headers: { ...headers, 'content-encoding': 'gzip' }, body: await promisify(gzip)(body) }
}
