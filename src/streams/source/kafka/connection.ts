import { type Address, textOf } from './address.ts'
import { CONNECT_TIMEOUT_MS, type KafkajsConnection } from './kafkajs.ts'
import { apiVersions } from './protocol/api-versions.ts'
import { KafkaError } from './protocol/error-codes.ts'
import { type ApiVersions, type Ask, type Request, UnsupportedBroker } from './protocol/request.ts'

const SASL_AUTHENTICATE = 36

/** The broker accepted a request and sent no response in time. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

interface Open {
  readonly connection: KafkajsConnection
  readonly versions: ApiVersions
}

/**
 * A connection to one broker. Opened at the first request, and again at the first one after a failure.
 * Requests are serialized: a broker answers those of a connection in order anyway, and kafkajs mistakes another response
 * for that of a re-authentication.
 */
export class BrokerConnection {
  readonly address: Address
  readonly #connect: (address: Address) => Promise<KafkajsConnection>
  readonly #isRepeated: boolean
  #open: Open | undefined
  #connecting: KafkajsConnection | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false

  /**
   * `isRepeated`: a request that meets a connection which the broker has closed as idle is repeated. All requests are
   * reads. The live reader's are not repeated: it has to know of an interruption.
   */
  constructor(
    address: Address,
    connect: (address: Address) => Promise<KafkajsConnection>,
    { isRepeated }: { isRepeated: boolean },
  ) {
    this.address = address
    this.#connect = connect
    this.#isRepeated = isRepeated
  }

  get isOpen(): boolean {
    return this.#open?.connection.isConnected() ?? false
  }

  /**
   * Asks, after the requests before it have been answered.
   * @throws NoAnswer after `timeoutMs`, which does not include connecting and waiting for its turn.
   */
  ask<T>(question: Ask<T>, timeoutMs: number): Promise<T> {
    const answer = this.#turn.then(() => this.#askNow(question, timeoutMs))
    this.#turn = answer.catch(() => {}) // the caller handles the error; the next request is independent
    return answer
  }

  /** Ends the requests under way, too. */
  close(): void {
    this.#isClosed = true
    this.#drop(new Error('The connection is closed'))
  }

  async #askNow<T>(question: Ask<T>, timeoutMs: number): Promise<T> {
    const mayRepeat = this.isOpen && this.#isRepeated
    try {
      return await this.#tryOnce(question, timeoutMs)
    } catch (error) {
      const isFinal = error instanceof NoAnswer || error instanceof KafkaError || error instanceof UnsupportedBroker
      if (isFinal || !mayRepeat || this.#isClosed) throw error
      return await this.#tryOnce(question, timeoutMs)
    }
  }

  async #tryOnce<T>(question: Ask<T>, timeoutMs: number): Promise<T> {
    const { connection, versions } = await this.#opened()
    const request = question(versions)
    try {
      return await this.#within(timeoutMs, request.apiName, exchange(connection, request))
    } catch (error) {
      // After anything but an answer the state of the connection is unknown.
      if (!(error instanceof KafkaError)) this.#drop(error as Error)
      throw error
    }
  }

  async #opened(): Promise<Open> {
    if (this.#isClosed) throw new Error('The connection is closed')
    if (this.#open && this.isOpen) return this.#open
    this.#open = undefined
    try {
      this.#open = await this.#within(CONNECT_TIMEOUT_MS, 'a connection', this.#openNow())
      return this.#open
    } catch (error) {
      this.#drop(error as Error)
      throw error
    }
  }

  async #openNow(): Promise<Open> {
    const connection = await this.#connect(this.address)
    this.#connecting = connection
    if (this.#isClosed) throw new Error('The connection is closed')
    await connection.connect()
    const versions = await exchange(connection, apiVersions())
    connection.setVersions(
      Object.fromEntries([...versions].map(([key, { min, max }]) => [key, { minVersion: min, maxVersion: max }])),
    )
    connection.setSupportAuthenticationProtocol(versions.has(SASL_AUTHENTICATE))
    return { connection, versions }
  }

  async #within<T>(ms: number, what: string, answer: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      late.reject(new NoAnswer(`${textOf(this.address)} has not answered ${what} within ${ms / 1_000} s`))
    }, ms)
    try {
      return await Promise.race([answer, late.promise])
    } finally {
      clearTimeout(timer)
      answer.catch(() => {}) // a late failure is not news
    }
  }

  #drop(reason: Error): void {
    for (const connection of [this.#open?.connection, this.#connecting]) connection?.socket?.destroy(reason)
    this.#open = undefined
    this.#connecting = undefined
  }
}

function exchange<T>(connection: KafkajsConnection, request: Request<T>): Promise<T> {
  const { apiKey, apiVersion, apiName, body, decode } = request
  const { buffer } = body
  return connection.send<T>({
    // kafkajs takes the bytes from its own encoder, which has them in these two places.
    request: { apiKey, apiVersion, apiName, encode: async () => ({ buf: buffer, buffer }) },
    response: {
      // In an object, since kafkajs looks for a throttle time in it.
      decode: async (payload) => ({ answer: decode(payload) }),
      parse: async (decoded) => (decoded as { answer: T }).answer,
    },
    logResponseError: false,
  })
}
