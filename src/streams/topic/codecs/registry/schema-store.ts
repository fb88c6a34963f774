import { CodecUnavailable } from '../../codec.ts'
import { completeDefinition, Unusable } from './definition.ts'
import { Generations } from './generations.ts'
import type { Patience } from './patience.ts'
import { NotRegistered, type RegistryClient } from './registry-client.ts'
import { StoredSchema } from './stored-schema.ts'

/** Limit of the schemas that are kept, by estimated memory: some thousand of usual size. */
const MAX_BYTES = 64 * 1024 * 1024
/** Schemas that are asked for at once: a batch of garbage may name as many as it has records. */
const MAX_WANTED = 64
/** A failed question is answered by the same failure for so long: partitions and replays ask apart from each other. */
const FAILURE_MS = 500
/** Limit of failures that are remembered. */
const MAX_FAILURES = 1_000

/** The ids that a batch needs, and when the newest record of each was written. */
export type Wanted = ReadonlyMap<number, number>

/** The stores of registries, which are not public. */
const stores = new WeakMap<object, SchemaStore>()

export function setStore(registry: object, store: SchemaStore): void {
  stores.set(registry, store)
}

export function storeOf(registry: object): SchemaStore | undefined {
  return stores.get(registry)
}

interface Failure {
  readonly error: Error
  readonly until: number
}

/** The schemas of a registry by id, fetched once and kept. A definition never changes under its id. */
export class SchemaStore {
  readonly #client: RegistryClient
  readonly #patience: Patience
  readonly #schemas = new Generations<StoredSchema>(MAX_BYTES)
  readonly #loading = new Map<number, Promise<void>>()
  readonly #failures = new Map<number, Failure>()

  constructor(client: RegistryClient, patience: Patience) {
    this.#client = client
    this.#patience = patience
  }

  get(id: number): StoredSchema | undefined {
    return this.#schemas.get(id)
  }

  /** It has to be asked for before a record with it can be judged. */
  isMissing(id: number): boolean {
    return this.#schemas.get(id) === undefined && this.#patience.givenUp(id, Date.now()) !== 'yes'
  }

  /** Resolves when none is missing: each is there, or given up. @throws CodecUnavailable with a sentence. */
  async load(wanted: Wanted): Promise<void> {
    let missing = [...wanted]
    while (missing.length > 0) {
      await Promise.all(missing.slice(0, MAX_WANTED).map(([id, writtenAt]) => this.#load(id, writtenAt)))
      missing = missing.slice(MAX_WANTED).filter(([id]) => this.isMissing(id))
    }
  }

  #load(id: number, writtenAt: number): Promise<void> {
    const failure = this.#failures.get(id)
    if (failure && performance.now() < failure.until) return Promise.reject(failure.error)
    const loading = this.#loading.get(id) ?? this.#fetch(id, writtenAt).finally(() => this.#loading.delete(id))
    this.#loading.set(id, loading)
    return loading
  }

  async #fetch(id: number, writtenAt: number): Promise<void> {
    const what = `the schema with id ${id}`
    try {
      const answer = await this.#client.ask(`/schemas/ids/${id}`, what)
      this.#schemas.set(id, new StoredSchema(await completeDefinition(this.#client, answer, what), what))
      this.#patience.found(id)
      this.#failures.delete(id)
    } catch (error) {
      if (await this.#isGivenUp(id, writtenAt, error)) return
      throw this.#remember(id, error)
    }
  }

  /**
   * A definite answer is waited for to change, but not indefinitely. A registry that has no subjects at all is not well:
   * it may have lost them, and records would be skipped that can be decoded when it is restored.
   */
  async #isGivenUp(id: number, writtenAt: number, error: unknown): Promise<boolean> {
    const wasGivenUp = this.#patience.givenUp(id, Date.now()) !== 'no'
    if (wasGivenUp) this.#patience.giveUp(id, Date.now())
    if (wasGivenUp) return true
    if (!(error instanceof NotRegistered || error instanceof Unusable)) return false
    if (!this.#patience.isOver(id, writtenAt, Date.now())) return false
    const subjects = await this.#client.ask('/subjects', 'its subjects').catch(() => undefined)
    if (!Array.isArray(subjects) || subjects.length === 0) return false
    this.#patience.giveUp(id, Date.now())
    return true
  }

  #remember(id: number, error: unknown): CodecUnavailable {
    const { message } = error as Error
    const failure =
      error instanceof CodecUnavailable ? error : new CodecUnavailable(message, { cause: error, isDefinite: true })
    if (this.#failures.size >= MAX_FAILURES) this.#failures.delete(this.#failures.keys().next().value as number)
    this.#failures.set(id, { error: failure, until: performance.now() + FAILURE_MS })
    return failure
  }
}
