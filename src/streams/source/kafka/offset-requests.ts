import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { type FoundOffset, listOffsets, type WantedOffset } from './protocol/list-offsets.ts'

const ANSWER_TIMEOUT_MS = 3_000

type ByTopic = ReadonlyMap<string, readonly FoundOffset[]>

interface OffsetRequest {
  readonly wanted: WantedOffset[]
  readonly topics: Set<string>
  readonly answer: PromiseWithResolvers<ByTopic>
}

/**
 * Requests about offsets, and for the metadata before them: what is asked about several topics in one turn of the event
 * loop is one request to each broker. At the start, and every few seconds after it, all topics are asked about.
 */
export class OffsetRequests {
  readonly #cluster: Cluster
  /** What is sent in the next turn: look-ups, and by leader the requests. */
  #lookUp: { readonly topics: Set<string>; readonly answer: Promise<void> } | undefined
  readonly #requests = new Map<number, OffsetRequest[]>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Asks for a topic's metadata. @throws SourceUnavailable */
  lookUp(topic: string): Promise<void> {
    this.#lookUp ??= { topics: new Set(), answer: this.#sendLookUp() }
    this.#lookUp.topics.add(topic)
    return this.#lookUp.answer
  }

  /** Asks a leader about partitions of a topic. */
  async ask(leader: number, topic: string, wanted: readonly WantedOffset[]): Promise<readonly FoundOffset[]> {
    let requests = this.#requests.get(leader)
    if (!requests) {
      requests = []
      this.#requests.set(leader, requests)
      void this.#send(leader, requests)
    }
    // A partition may occur only once in a request.
    let request = requests.find(({ topics }) => !topics.has(topic))
    if (!request) {
      request = { wanted: [], topics: new Set(), answer: Promise.withResolvers() }
      requests.push(request)
    }
    request.topics.add(topic)
    request.wanted.push(...wanted)
    return (await request.answer.promise).get(topic) ?? []
  }

  async #sendLookUp(): Promise<void> {
    await nextTurn()
    const topics = this.#lookUp?.topics ?? []
    this.#lookUp = undefined
    await this.#cluster.lookUp([...topics])
  }

  async #send(leader: number, requests: readonly OffsetRequest[]): Promise<void> {
    await nextTurn()
    this.#requests.delete(leader)
    for (const { wanted, answer } of requests) this.#ask(leader, wanted).then(answer.resolve, answer.reject)
  }

  async #ask(leader: number, wanted: readonly WantedOffset[]): Promise<ByTopic> {
    const found = await this.#cluster.connection(leader, 'control').ask(listOffsets(wanted), ANSWER_TIMEOUT_MS)
    return Map.groupBy(found, ({ topic }) => topic)
  }
}
