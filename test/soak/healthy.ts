/** A well-behaved client: it reads what it asked for, keeps its cursor, and comes back with it when its stream ends. */
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Block, parseBlock } from '../kit/blocks.ts'
import { placeOf, type Region } from './orders.ts'
import { ask, requestBytes } from './wire.ts'

/** Before it comes back: a well-behaved client does wait, and this is the least that the gateway asks for. */
const RETRY_MS = 250
const SELECTED = '{ id region merchantId placedAt total { amount currency } }'

export type Way = 'post' | 'get' | 'single'

export interface HealthyOptions {
  readonly port: number
  readonly way: Way
  readonly region: Region
  /** Leaves and comes back with its cursor about this often; never, if absent. */
  readonly comesBackMs?: number
  readonly onEvent: (latencyMs: number, silentMs: number) => void
}

export interface Missing {
  readonly partition: number
  readonly from: number
  readonly to: number
}

export class HealthyClient {
  readonly region: Region
  readonly way: Way
  /** What came, by partition: offsets in the order in which they came. */
  readonly received: number[][] = []
  readonly gaps: Missing[] = []
  /** What no healthy client should ever see. */
  readonly faults: string[] = []
  reconnects = 0
  refusals = 0
  readonly #options: HealthyOptions
  #cursor: string | undefined
  #socket: Socket | undefined
  #lastAt = performance.now()
  #stopped = false
  #running: Promise<void> = Promise.resolve()
  #token: string | undefined

  constructor(options: HealthyOptions) {
    this.#options = options
    this.region = options.region
    this.way = options.way
  }

  /** Resolves when its first stream is open. */
  async start(): Promise<void> {
    const opened = Promise.withResolvers<void>()
    this.#running = this.#live(opened.resolve)
    await Promise.race([opened.promise, this.#running])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#socket?.destroy()
    await this.#running
  }

  count(): number {
    return this.received.reduce((sum, offsets) => sum + offsets.length, 0)
  }

  async #live(onOpen: () => void): Promise<void> {
    for (let first = true; !this.#stopped; first = false) {
      if (!first) {
        this.reconnects++
        await delay(RETRY_MS)
      }
      await (this.#options.way === 'single' ? this.#single(onOpen) : this.#distinct(onOpen))
    }
  }

  #distinct(onOpen: () => void): Promise<void> {
    const last: Record<string, string> = this.#cursor === undefined ? {} : { 'last-event-id': this.#cursor }
    const headers = { accept: 'text/event-stream', ...last }
    const query = `subscription Healthy($region: Region!) { ordersByRegion(region: $region) ${SELECTED} }`
    const variables = { region: this.region }
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables) })
    const request =
      this.#options.way === 'get'
        ? requestBytes({ path: `/graphql?${search}`, headers })
        : requestBytes({ headers, body: { query, variables } })
    return this.#stream(request, (block) => {
      onOpen()
      if (block.id !== undefined) this.#cursor = block.id
      if (block.event === 'next') this.#result(JSON.parse(block.data ?? ''))
      else if (block.event === 'complete') this.faults.push('its stream was completed')
    })
  }

  async #single(onOpen: () => void): Promise<void> {
    const { port } = this.#options
    const reserved = await ask(port, { method: 'PUT', headers: { connection: 'close' } })
    if (typeof reserved === 'string' || reserved.status !== 201) {
      this.#refused(typeof reserved === 'string' ? 0 : reserved.status)
      return
    }
    this.#token = reserved.body
    const headers = { accept: 'text/event-stream', 'x-graphql-event-stream-token': reserved.body }
    let begun = false
    await this.#stream(requestBytes({ headers }), (block) => {
      if (!begun) void this.#begin(onOpen)
      begun = true
      if (block.event === undefined) return
      const { payload } = JSON.parse(block.data ?? '')
      if (payload?.extensions?.cursor) this.#cursor = payload.extensions.cursor
      if (block.event === 'next') this.#result(payload)
      else this.faults.push('its operation was completed')
    })
  }

  async #begin(onOpen: () => void): Promise<void> {
    const query = `subscription { ordersByRegion(region: ${this.region}) ${SELECTED} }`
    const extensions = { operationId: 'a', cursor: true, lastEventId: this.#cursor }
    const headers = { 'x-graphql-event-stream-token': this.#token ?? '', connection: 'close' }
    const answer = await ask(this.#options.port, { headers, body: { query, extensions } })
    if (typeof answer !== 'string' && answer.status === 202) onOpen()
    else {
      this.#refused(typeof answer === 'string' ? 0 : answer.status)
      this.#socket?.destroy()
    }
  }

  /** Reads a stream up to its end. */
  #stream(request: Buffer, onBlock: (block: Block) => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const socket = connect(this.#options.port, '127.0.0.1')
    this.#socket = socket
    let rest = ''
    let hasHead = false
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      rest += text
      if (!hasHead) {
        const end = rest.indexOf('\r\n\r\n')
        if (end < 0) return
        if (!/^HTTP\/1\.1 200 /.test(rest)) {
          this.#refused(Number(rest.slice(9, 12)))
          socket.destroy()
          return
        }
        hasHead = true
        rest = rest.slice(end + 4)
      }
      const blocks = rest.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) onBlock(parseBlock(block))
    })
    const { comesBackMs } = this.#options
    const leave = comesBackMs && setTimeout(() => socket.destroy(), comesBackMs * (0.5 + Math.random()))
    socket.on('error', () => {})
    socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(leave)
      resolve()
    })
    socket.write(request)
    return promise
  }

  /** It comes back, as it is told to; anything but 503 is not for well-behaved clients. 0: no connection. */
  #refused(status: number): void {
    this.refusals++
    if (status !== 503 && status !== 0 && status !== 404) this.faults.push(`it was refused with status ${status}`)
  }

  #result(result: { data?: { ordersByRegion?: { id: string } } | null; errors?: GraphQLErrors }): void {
    const id = result.data?.ordersByRegion?.id
    if (id !== undefined) {
      const { partition, offset, at } = placeOf(id)
      const now = performance.now()
      this.#options.onEvent(Date.now() - at, now - this.#lastAt)
      this.#lastAt = now
      this.received[partition] ??= []
      this.received[partition].push(offset)
      return
    }
    for (const { extensions } of result.errors ?? []) {
      if (extensions?.code === 'CURSOR_EXPIRED') this.gaps.push(...(extensions.gaps ?? []))
      else this.faults.push(`it got the error ${extensions?.code}`)
    }
  }
}

type GraphQLErrors = { readonly extensions?: { readonly code?: string; readonly gaps?: Missing[] } }[]
