import { CodecUnavailable } from '../../codec.ts'
import type { RegistryAddress } from './registry-address.ts'

/** Of one question, with its whole answer: a slow one holds a partition no longer than it is asked again. */
const TIMEOUT_MS = 10_000
/** Size limit of an answer: some ten times the largest schema that Kafka itself could store in one record. */
const MAX_BYTES = 8 * 1024 * 1024
/** Concurrent questions to a registry: it is asked once for each schema, not for each record. */
const MAX_AT_ONCE = 4

/** A healthy registry says that it does not have something. */
export class NotRegistered extends Error {
  override readonly name = 'NotRegistered'
}

/** Asks a registry. Bounded in time, bytes and concurrency; redirects are not followed, since they would take credentials elsewhere. */
export class RegistryClient {
  readonly #address: RegistryAddress
  readonly #timeoutMs: number
  readonly #waiting: (() => void)[] = []
  #asking = 0

  constructor(address: RegistryAddress, timeoutMs = TIMEOUT_MS) {
    this.#address = address
    this.#timeoutMs = timeoutMs
  }

  /**
   * The object, or the array, that is at this path. `what`: what sentences call it.
   * @throws NotRegistered; CodecUnavailable with a sentence for every other answer, or none.
   */
  async ask(path: string, what: string): Promise<unknown> {
    if (this.#asking >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#asking++
    try {
      return await this.#ask(path, what)
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#asking--
    }
  }

  async #ask(path: string, what: string): Promise<unknown> {
    const { base, headers } = this.#address
    const signal = AbortSignal.timeout(this.#timeoutMs)
    let status: number
    let text: string | undefined
    try {
      const response = await fetch(`${base}${path}`, { headers, redirect: 'manual', signal })
      status = response.status
      text = await textOf(response)
    } catch (error) {
      throw this.#unavailable(`does not answer (${causeOf(error, this.#timeoutMs)})`)
    }
    if (status === 404) return this.#notFound(text, what)
    if (status >= 300 && status < 400) throw this.#unavailable(`redirects (status ${status}), which is not followed`)
    if (status === 401 || status === 403) throw this.#unavailable(`refuses its credentials (status ${status})`)
    if (status === 429) throw this.#unavailable('answers that it is asked too often (status 429)')
    if (status !== 200) throw this.#unavailable(`answers with status ${status} when asked for ${what}`)
    if (text === undefined) throw this.#unavailable(`answers with more than ${MAX_BYTES} bytes for ${what}`)
    const value = jsonOf(text)
    if (typeof value !== 'object' || value === null) {
      throw this.#unavailable(`answers with what is not a registry's JSON for ${what}`)
    }
    return value
  }

  /** A proxy's own 404 says nothing of the registry: only one with the registry's code for it counts. */
  #notFound(text: string | undefined, what: string): never {
    const code = (jsonOf(text ?? '') as { error_code?: unknown } | null | undefined)?.error_code
    // 40401: no such subject, 40402: no such version, 40403: no such schema.
    if (code === 40401 || code === 40402 || code === 40403 || code === 404) {
      throw new NotRegistered(`The schema registry ${this.#address.name} does not have ${what}`)
    }
    throw this.#unavailable(`answers with status 404 for ${what}, and not as a registry does: is its url right?`)
  }

  #unavailable(sentence: string): CodecUnavailable {
    return new CodecUnavailable(`The schema registry ${this.#address.name} ${sentence}`)
  }
}

/** Read in pieces, so that an answer without end, or one that is small only compressed, stops at the limit. */
async function textOf({ body }: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body ?? []) {
    bytes += piece.length
    // Leaving the loop cancels the rest.
    if (bytes > MAX_BYTES) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A code where there is one: what `fetch` throws says only that it failed. */
function causeOf(error: unknown, timeoutMs: number): string {
  const { name, cause } = error as Error & { cause?: { code?: unknown; message?: unknown } }
  if (name === 'TimeoutError') return `within ${timeoutMs / 1_000} s`
  return typeof cause?.code === 'string' ? cause.code : 'the connection failed'
}
