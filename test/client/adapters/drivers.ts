import { ApolloClient, InMemoryCache } from '@apollo/client'
import { CombinedGraphQLErrors } from '@apollo/client/errors'
import { type CombinedError, Client as UrqlClient } from '@urql/core'
import { parse } from 'graphql'
import {
  type ConcreteRequest,
  Environment,
  fetchQuery,
  Network,
  RecordSource,
  requestSubscription,
  Store,
} from 'relay-runtime'
import { onTestFinished } from 'vitest'
import { SluiceLink } from '../../../packages/client/src/apollo.ts'
import type { SluiceClient } from '../../../packages/client/src/index.ts'
import type { Listeners } from '../../../packages/client/src/listeners.ts'
import { createSluiceNetwork } from '../../../packages/client/src/relay.ts'
import { sluiceExchange } from '../../../packages/client/src/urql.ts'

/** What a library tells its application, in order: a value, or `error CODE`; `end`. */
export type Told = string[]

/** One GraphQL client over our adapter. */
export interface Driver {
  /** Starts a subscription without variables whose one root field is a scalar. @returns what stops it */
  subscribe(query: string, told: Told): () => void
}

type MakeDriver = (client: SluiceClient, listeners: Listeners) => Driver

const urql: MakeDriver = (client, listeners) => {
  const exchanges = [sluiceExchange({ client, ...listeners })]
  const library = new UrqlClient({ url: 'http://nowhere.invalid', exchanges })
  return {
    subscribe(query, told) {
      const { unsubscribe } = library.subscription(query, {}).subscribe(({ data, error, hasNext }) => {
        if (data) told.push(String(rootOf(data)))
        if (error) told.push(`error ${(error as CombinedError).graphQLErrors[0]?.extensions.code}`)
        if (!hasNext) told.push('end')
      })
      return unsubscribe
    },
  }
}

const apollo: MakeDriver = (client, listeners) => {
  const library = new ApolloClient({ cache: new InMemoryCache(), link: new SluiceLink({ client, ...listeners }) })
  onTestFinished(() => library.stop())
  return {
    subscribe(query, told) {
      const subscription = library.subscribe({ query: parse(query) }).subscribe({
        next({ data, error }) {
          if (data) told.push(String(rootOf(data as object)))
          if (error) told.push(`error ${CombinedGraphQLErrors.is(error) ? error.errors[0]?.extensions?.code : error}`)
        },
        complete: () => void told.push('end'),
        error: (error) => void told.push(`thrown ${error}`),
      })
      return () => subscription.unsubscribe()
    },
  }
}

const relay: MakeDriver = (client, listeners) => {
  const { fetch, subscribe } = createSluiceNetwork({ client, ...listeners })
  const environment = new Environment({
    network: Network.create(fetch, subscribe),
    store: new Store(new RecordSource()),
  })
  return {
    subscribe(query, told) {
      const { dispose } = requestSubscription(environment, {
        subscription: compiled(query),
        variables: {},
        onNext: (data) => void told.push(String(rootOf(data as object))),
        onError: (error) => void told.push(`error ${(error as { code?: string }).code ?? error}`, 'end'),
        onCompleted: () => void told.push('end'),
      })
      return dispose
    },
  }
}

export const DRIVERS = { urql, apollo, relay } satisfies Record<string, MakeDriver>

/** A query by each library. @returns its data, or its error */
export const QUERIES: Record<keyof typeof DRIVERS, (client: SluiceClient, query: string) => Promise<unknown>> = {
  // The exchange is for subscriptions: queries go to the next one.
  urql: (client, query) => client.execute({ query }).then(({ data }) => data),
  async apollo(client, query) {
    const library = new ApolloClient({ cache: new InMemoryCache(), link: new SluiceLink({ client }) })
    const { data, error } = await library.query({ query: parse(query), errorPolicy: 'all' })
    library.stop()
    return CombinedGraphQLErrors.is(error) ? error.errors[0]?.extensions?.code : data
  },
  relay(client, query) {
    const { fetch, subscribe } = createSluiceNetwork({ client })
    const network = Network.create(fetch, subscribe)
    const environment = new Environment({ network, store: new Store(new RecordSource()) })
    return fetchQuery(environment, compiled(query), {})
      .toPromise()
      .catch((error: { source?: { errors: { extensions?: { code?: string } }[] } }) => {
        return error.source?.errors[0]?.extensions?.code ?? error
      })
  },
}

function rootOf(data: object): unknown {
  return Object.entries(data).find(([name]) => name !== '__typename')?.[1]
}

/** What relay-compiler makes of an operation with one scalar. */
function compiled(text: string): ConcreteRequest {
  const [, kind = '', name = '', field = ''] = /(\w+) (\w+) { (\w+) }/.exec(text) ?? []
  const selections = [{ alias: null, args: null, kind: 'ScalarField', name: field, storageKey: null }]
  const type = kind === 'query' ? 'Query' : 'Subscription'
  return {
    kind: 'Request',
    fragment: { kind: 'Fragment', name, type, argumentDefinitions: [], selections, abstractKey: null, metadata: null },
    operation: { kind: 'Operation', name, argumentDefinitions: [], selections },
    params: { cacheID: text, id: null, metadata: {}, name, operationKind: kind, text },
  } as unknown as ConcreteRequest
}
