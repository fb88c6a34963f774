import { SourceUnavailable } from '../port.ts'
import { type Address, textOf } from './address.ts'
import { BrokerConnection, NoAnswer } from './connection.ts'
import { unavailable } from './failures.ts'
import type { KafkajsConnection } from './kafkajs.ts'
import { metadata, type TopicMetadata } from './protocol/metadata.ts'
import type { Ask } from './protocol/request.ts'

/** Longest wait for an answer that takes no time to find. */
const ANSWER_TIMEOUT_MS = 3_000
/** A broker that has not answered within this time is not waited for alone: the next one is asked as well. */
const HEDGE_MS = 500

/** Each use has connections of its own, so that a long answer of one does not delay the others. */
export type Use = 'control' | 'past' | `live ${number}`

export interface ClusterOptions {
  readonly seeds: readonly Address[]
  readonly connect: (address: Address) => Promise<KafkajsConnection>
}

interface Health {
  /** When it failed last; 0: never, or it has answered since. */
  failedAt: number
  askedAt: number
}

/**
 * The brokers of a cluster: their addresses, the leaders of partitions, and the connections.
 * Any broker knows the metadata. Those that have not failed are asked first, in turn, and the next one where one is
 * silent. So neither a seed that does not answer nor one whose answer is wrong is relied upon for long.
 */
export class Cluster {
  readonly #options: ClusterOptions
  readonly #brokers = new Map<number, Address>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #connections = new Map<string, BrokerConnection>()
  readonly #health = new Map<string, Health>()
  /** Which broker the present addresses are from. */
  #source: Address | undefined
  #isClosed = false

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  /** What is known of a topic, from the last answer about it. */
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** @throws SourceUnavailable for a broker that the metadata does not name. */
  connection(nodeId: number, use: Use): BrokerConnection {
    const address = this.#brokers.get(nodeId)
    if (!address) throw new SourceUnavailable(`Kafka's metadata names a broker ${nodeId}, and not its address`)
    return this.#connectionTo(address, use)
  }

  /**
   * Looks up the brokers, and the leaders of these topics. Errors of one topic are in its metadata.
   * @throws SourceUnavailable when no broker answers.
   */
  async lookUp(topics: readonly string[]): Promise<void> {
    const { answer, from } = await this.#askAny(metadata(topics))
    if (answer.brokers.length === 0) throw new SourceUnavailable('Kafka does not name any broker')
    this.#source = from
    this.#brokers.clear()
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port })
    for (const topic of answer.topics) this.#topics.set(topic.name, topic)
    this.#closeForgotten()
  }

  /**
   * What the brokers say of one topic, and what this user may do with it. It changes nothing of what is known.
   * @throws SourceUnavailable when no broker answers.
   */
  async describe(topic: string): Promise<TopicMetadata | undefined> {
    const { answer } = await this.#askAny(metadata([topic], true))
    return answer.topics.find(({ name }) => name === topic)
  }

  /** A broker could not be reached, or was silent: it is asked last, and so is the one whose answer named it. */
  failed(nodeId: number): void {
    const now = Date.now()
    const address = this.#brokers.get(nodeId)
    if (!address) return
    this.#healthOf(address).failedAt = now
    if (this.#source && textOf(this.#source) !== textOf(address)) this.#healthOf(this.#source).failedAt = now - 1
  }

  close(): void {
    this.#isClosed = true
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  /** Asks one broker after another, each as soon as those before it have failed or been silent for a moment. */
  #askAny<T>(question: Ask<T>): Promise<{ readonly answer: T; readonly from: Address }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ answer: T; from: Address }>()
    const waiting = this.#candidates()
    const failures: unknown[] = []
    let asked = 0
    let isAnswered = false
    const next = () => {
      if (isAnswered) return
      const address = waiting.shift()
      if (!address) {
        if (asked === failures.length) reject(unavailable(worst(failures)))
        return
      }
      // A timer calls this, too: what it throws would end the process.
      if (this.#isClosed) return reject(closed())
      asked++
      const hedge = setTimeout(next, HEDGE_MS)
      const health = this.#healthOf(address)
      health.askedAt = Date.now()
      this.#connectionTo(address, 'control')
        .ask(question, ANSWER_TIMEOUT_MS)
        .then(
          (answer) => {
            health.failedAt = 0
            isAnswered = true
            resolve({ answer, from: address })
          },
          (error: unknown) => {
            health.failedAt = Date.now()
            failures.push(error)
          },
        )
        .finally(() => {
          clearTimeout(hedge)
          next()
        })
    }
    next()
    return promise
  }

  /** Known brokers and seeds, each address once, the most promising first. */
  #candidates(): Address[] {
    const known = [...this.#brokers.values()]
    const all = new Map([...known, ...this.#options.seeds].map((address) => [textOf(address), address]))
    const isSeed = (address: Address) => (known.includes(address) ? 0 : 1)
    return [...all.values()].sort((a, b) => {
      const [left, right] = [this.#healthOf(a), this.#healthOf(b)]
      return left.failedAt - right.failedAt || isSeed(a) - isSeed(b) || left.askedAt - right.askedAt
    })
  }

  #healthOf(address: Address): Health {
    const key = textOf(address)
    const known = this.#health.get(key) ?? { failedAt: 0, askedAt: 0 }
    this.#health.set(key, known)
    return known
  }

  #connectionTo(address: Address, use: Use): BrokerConnection {
    if (this.#isClosed) throw closed()
    const key = `${use} ${textOf(address)}`
    let connection = this.#connections.get(key)
    if (!connection) {
      const isRepeated = !use.startsWith('live')
      connection = new BrokerConnection(address, this.#options.connect, { isRepeated })
      this.#connections.set(key, connection)
    }
    return connection
  }

  /** Addresses that neither the metadata nor the configuration names any more: a cluster may change them all. */
  #closeForgotten(): void {
    const named = new Set([...this.#brokers.values(), ...this.#options.seeds].map(textOf))
    for (const [key, connection] of this.#connections) {
      if (named.has(textOf(connection.address))) continue
      connection.close()
      this.#connections.delete(key)
    }
    for (const key of this.#health.keys()) if (!named.has(key)) this.#health.delete(key)
  }
}

/** Of several failures the one that says most: a refusal rather than silence. */
function worst(failures: readonly unknown[]): unknown {
  return failures.find((failure) => !(failure instanceof NoAnswer)) ?? failures[0]
}

function closed(): SourceUnavailable {
  return new SourceUnavailable('The connection to Kafka is closed')
}
