import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { Admitted } from '../admission/admission.ts'
import { formatError } from '../delivery/format-error.ts'
import { boundedJson } from '../delivery/result-size.ts'
import type { Context } from '../schema/context.ts'

/** What the server hands to Yoga with a request: absent for GraphiQL's page, which executes nothing. */
export interface YogaContext {
  readonly admitted?: Admitted
}

const GRAPHIQL_QUERY = `# Orders as they happen. Press the button.
subscription Orders {
  ordersByRegion(region: EUROPE) {
    id
    city
    country
    total {
      amount
      currency
    }
    status
    placedAt
  }
}

query Recent {
  recentOrders(last: 5) {
    id
    region
    city
  }
  streams {
    topic
    eventsPerSecond
    window {
      events
    }
  }
}
`

/** Yoga, for queries and mutations over plain HTTP, and for GraphiQL. What it executes has passed admission. */
export function createYogaServer(
  schema: GraphQLSchema,
  path: string,
  streams: Context['streams'],
  log: Logger,
): YogaServerInstance<YogaContext, Context> {
  return createYoga<YogaContext, Context>({
    schema,
    graphqlEndpoint: path,
    context: ({ admitted }) => ({ audience: demand(admitted).audience, streams }),
    plugins: [useAdmitted()],
    maskedErrors: { maskError: (error) => masked(error, log) },
    graphiql: { title: 'Sluice', defaultQuery: GRAPHIQL_QUERY },
    renderGraphiQL,
    // The server has these, the same for every path.
    cors: false,
    logging: false,
    landingPage: false,
    batching: false,
    multipart: false,
    parserAndValidationCache: false,
  })
}

/** Admission has parsed and validated; Yoga takes its document as it is. */
function useAdmitted(): Plugin<YogaContext> {
  return {
    onParse({ context, setParsedDocument }) {
      setParsedDocument(demand((context as YogaContext).admitted).document)
    },
    onValidate({ setResult }) {
      setResult([])
    },
    onExecute: () => ({
      onExecuteDone: ({ result, setResult }) => {
        // Yoga sends what `stringify` gives.
        const stringify = (one: object) => boundedJson(JSON.stringify(one))
        setResult(Object.assign(result, { stringify }))
      },
    }),
  }
}

function demand(admitted: Admitted | undefined): Admitted {
  if (!admitted) throw new Error('An operation came round admission')
  return admitted
}

function masked(error: unknown, log: Logger): GraphQLError {
  const { message, extensions, path } = formatError(error, log, 'BAD_USER_INPUT')
  const { nodes, source, positions } = error instanceof GraphQLError ? error : {}
  return new GraphQLError(message, { extensions: withStatus(extensions), path, nodes, source, positions })
}

/**
 * Where an operation is refused before it runs, Yoga gives the error a status. By GraphQL over HTTP that is not for
 * answers of type application/json, which is what `spec` says.
 */
function withStatus(extensions: GraphQLFormattedError['extensions']): GraphQLFormattedError['extensions'] {
  return extensions?.http ? { ...extensions, http: { ...extensions.http, spec: true } } : extensions
}
