import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ExecutionResult, type GraphQLSchema, getOperationAST, parse } from 'graphql'
import type { Logger } from 'pino'
import { readConfig } from '../config.ts'
import { type DefinitionOptions, defineGateway } from '../definition.ts'
import { type Gateway, startGateway } from '../gateway.ts'
import { streamFieldOf } from '../schema/stream-field.ts'
import { decodeCursor } from '../streams/cursor/cursor.ts'
import { covers } from '../streams/cursor/vector.ts'
import { createEmbeddedLog, type EmbeddedLog } from '../streams/source/embedded/embedded.ts'
import type { Topic } from '../streams/topic/topic.ts'
import { type TestDocument, textOf } from './document.ts'
import { memoryTopic } from './memory-topic.ts'
import { RecentWarnings } from './recent-warnings.ts'
import { Subscription, type TestSubscription } from './subscription.ts'

// biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
type AnyTopic = Topic<any, any>

export interface TestGatewayOptions {
  /** Variables of the configuration, beside free ports and a short period of heartbeats. */
  readonly env?: Readonly<Record<string, string>>
  /** Of each topic. */
  readonly partitions?: number
  /** By default nothing is shown, and errors of this module have the newest warnings. */
  readonly log?: Logger
  /** Limit of each wait. */
  readonly timeoutMs?: number
}

/** What a record has beside its value. */
export interface TestRecord {
  /** That of the topic's definition, if absent. */
  readonly key?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds since the epoch; now, if absent. */
  readonly timestamp?: number
  readonly partition?: number
}

export interface TestRequestOptions {
  /** Such as credentials. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A gateway that reads a log in memory. */
export interface TestGateway extends AsyncDisposable {
  /** The URL of GraphQL. */
  readonly url: string
  readonly adminUrl: string
  /**
   * Appends one event: its value as the topic's codec would give it, before the schema; null for a tombstone. Resolves
   * when the gateway has read it, whether or not it is a valid one.
   */
  produce(topic: AnyTopic | string, value: unknown, record?: TestRecord): Promise<void>
  /** Resolves when the stream is open: what is produced after that arrives. */
  subscribe<R = unknown, V = Readonly<Record<string, unknown>>>(
    document: TestDocument<R, V>,
    variables?: V,
    options?: TestRequestOptions,
  ): Promise<TestSubscription<R>>
  /** The answer to a query or a mutation, with its errors. */
  query<R = unknown, V = Readonly<Record<string, unknown>>>(
    document: TestDocument<R, V>,
    variables?: V,
    options?: TestRequestOptions,
  ): Promise<ExecutionResult<R>>
  close(): Promise<void>
}

const DEFAULT_PARTITIONS = 3
/** Far above what a busy machine takes, and below the limits that test runners have. */
const DEFAULT_TIMEOUT_MS = 4_000
/** The shortest that the configuration takes: a test of "no result" waits for one. */
const HEARTBEAT_MS = '100'

/**
 * Starts a gateway on free ports of 127.0.0.1, whose topics are in memory: it needs no broker, and no schema registry.
 * @throws Error that says what of the definition or the variables cannot be used.
 */
export async function testGateway(
  definition: DefinitionOptions,
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  const { env = {}, partitions = DEFAULT_PARTITIONS, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const { schema, topics } = defineGateway(definition)
  const warnings = new RecentWarnings()
  const config = readConfig({ PORT: '0', ADMIN_PORT: '0', HEARTBEAT_MS, INSTANCE_ID: 'test', ...env })
  const embedded = createEmbeddedLog()
  for (const { name } of topics) embedded.createTopic(name, partitions)
  const log = options.log ?? warnings.log
  const gateway = await startGateway({ ...definition, config, log, embedded, topicAs: memoryTopic })
  const running = new RunningTestGateway({ gateway, embedded, schema, topics, timeoutMs, warnings })
  await running.until('the gateway to be ready', () => gateway.streams.readiness().ready)
  return running
}

interface Running {
  readonly gateway: Gateway
  readonly embedded: EmbeddedLog
  readonly schema: GraphQLSchema
  readonly topics: readonly AnyTopic[]
  readonly timeoutMs: number
  readonly warnings: RecentWarnings
}

class RunningTestGateway implements TestGateway {
  readonly url: string
  readonly adminUrl: string
  readonly #running: Running

  constructor(running: Running) {
    this.#running = running
    this.url = `${running.gateway.url}/graphql`
    this.adminUrl = running.gateway.adminUrl
  }

  async produce(topic: AnyTopic | string, value: unknown, record: TestRecord = {}): Promise<void> {
    const { embedded, gateway } = this.#running
    const { name, keyOf, codec } = memoryTopic(this.#topicOf(topic))
    const text = value === null || value === undefined ? null : (codec.encode ?? JSON.stringify)(value)
    const key = record.key === undefined ? (text === null ? null : keyIn(keyOf, value)) : record.key
    await embedded.sink.send(name, [{ ...record, key, value: text }])
    const ends = await embedded.source.ends(name)
    const feed = gateway.streams.feed(this.#topicOf(topic))
    const isRead = () => [...ends].every(([partition, end]) => (feed.head[partition] ?? 0) >= end)
    await this.until(`the gateway to read what was produced to "${name}"`, isRead)
  }

  async subscribe<R, V>(document: TestDocument<R, V>, variables?: V, options: TestRequestOptions = {}) {
    const { timeoutMs, warnings } = this.#running
    const abort = new AbortController()
    const answer = await this.#request(document, variables, options, 'text/event-stream', abort.signal)
    const { ok, status, body, headers } = answer
    if (!ok || !body || !headers.get('content-type')?.startsWith('text/event-stream')) {
      throw new Error(`The subscription was answered ${status}: ${await answer.text()}`)
    }
    const hint = () => warnings.sentence
    const subscription = new Subscription<R>(body, abort, { passedBy: this.#marker(textOf(document)), timeoutMs, hint })
    await subscription.opened()
    return subscription
  }

  async query<R, V>(document: TestDocument<R, V>, variables?: V, options: TestRequestOptions = {}) {
    const answer = await this.#request(document, variables, options, 'application/graphql-response+json')
    return (await answer.json()) as ExecutionResult<R>
  }

  close(): Promise<void> {
    return this.#running.gateway.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The log is in this process: what is waited for comes within turns of its event loop. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const { timeoutMs, warnings } = this.#running
    const end = performance.now() + timeoutMs
    while (!holds()) {
      if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms for ${what}${warnings.sentence}`)
      await nextTurn()
    }
  }

  #topicOf(topic: AnyTopic | string): AnyTopic {
    const name = typeof topic === 'string' ? topic : topic.name
    const { topics } = this.#running
    const known = topics.find((each) => each.name === name)
    if (known) return known
    const names = topics.map((each) => `"${each.name}"`).join(', ') || 'none'
    throw new Error(`The gateway has no topic "${name}"; its topics: ${names}`)
  }

  #request(document: unknown, variables: unknown, options: TestRequestOptions, accept: string, signal?: AbortSignal) {
    return fetch(this.url, {
      method: 'POST',
      headers: { ...options.headers, accept, 'content-type': 'application/json' },
      body: JSON.stringify({ query: textOf(document), variables }),
      ...(signal && { signal }),
    })
  }

  /** By a stream's positions, whether it has passed what its topic holds now: the place of a marker in the topic. */
  #marker(text: string): () => (cursor: string) => boolean {
    const { schema, gateway } = this.#running
    const [field] = getOperationAST(parse(text))?.selectionSet.selections ?? []
    const name = field?.kind === 'Field' ? field.name.value : ''
    const definition = schema.getSubscriptionType()?.getFields()[name]
    const topic = definition && streamFieldOf(definition)?.topic
    if (!topic) return () => () => true
    return () => {
      const head = [...gateway.streams.feed(topic).head]
      return (cursor) => cursor !== '' && covers(decodeCursor(topic.name, cursor).positions, head)
    }
  }
}

/** A value that the schema refuses may have no key. */
function keyIn(keyOf: Topic['keyOf'], value: unknown): string | null {
  try {
    return keyOf?.(value) ?? null
  } catch {
    return null // it is no valid value: the record is skipped, whatever its partition
  }
}
