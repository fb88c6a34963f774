import type { ServerResponse } from 'node:http'
import type { ExecutionResult, GraphQLSchema } from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import { GRAPHQL_RESPONSE } from '../protocol/accept.ts'
import { jsonLine } from '../protocol/json-line.ts'
import { answerBody } from '../transport/answer-body.ts'
import type { Executed } from '../transport/operations.ts'

/** No part of any request: Yoga sees none of a client's own, so that nothing in one can make it fail. */
const ORIGIN = 'http://gateway'
const NO_OPERATION = JSON.stringify({ query: '{ __typename }' })

/** GraphQL over HTTP. */
export interface YogaHttp {
  /** Answers with the result of an operation. @throws Error if Yoga fails, before anything of the answer is sent. */
  answer(response: ServerResponse, mediaType: string, executed: Executed): Promise<void>
}

interface YogaContext {
  readonly result: ReadyResult
}

/** Yoga sends what `stringify` gives. */
type ReadyResult = ExecutionResult & { stringify(): string }

/**
 * Yoga as the HTTP server for GraphQL over HTTP. It is handed the result: admission and execution
 * are the same for every transport, and not its own. Its answer comes as a value, so that one that fails is not sent.
 */
export function createYogaHttp(schema: GraphQLSchema, path: string): YogaHttp {
  const yoga = createYoga<YogaContext>({
    schema,
    graphqlEndpoint: path,
    plugins: [resultPlugin()],
    graphiql: false,
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
  }
}

function resultPlugin(): Plugin<YogaContext> {
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
