/**
 * What one stream brought, kept as it came, with the position behind each of its events: from here those who come back have
 * their cursors, and the bare server its bytes.
 */
import { type ClientRequest, request } from 'node:http'
import type { Position } from './load.ts'

/** An order's id: see generator/generator.h. */
const ORDER_ID = /"ord_\d{6}_(\d)_(\d{9})_/
const BLOCK_END = '\n\n'

export class Recording {
  readonly query: string
  readonly #request: ClientRequest
  readonly #opened = Promise.withResolvers<Position>()
  readonly #frames: string[] = []
  /** Before the first event, and after each. */
  readonly #positions: Position[] = []
  /** Bytes of frames before each position, by its id. */
  readonly #offsets = new Map<string, number>()
  #length = 0
  #rest = ''
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined
  #failure: Error | undefined

  constructor(port: number, query: string) {
    this.query = query
    this.#opened.promise.catch(() => {})
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' }
    this.#request = request({ port, host: '127.0.0.1', path: '/graphql', method: 'POST', headers }, (response) => {
      if (response.statusCode !== 200) this.#fail(new Error(`A stream was answered ${response.statusCode}`))
      // All that the bench makes is ASCII.
      response.setEncoding('latin1')
      response.on('data', (text: string) => this.#take(text))
      response.on('close', () => this.#fail(new Error('A stream that was recorded ended')))
      response.on('error', (error) => this.#fail(error))
    })
    this.#request.on('error', (error) => this.#fail(error))
    this.#request.end(JSON.stringify({ query }))
  }

  /** Where the stream begins, once it is open. */
  get start(): Promise<Position> {
    return this.#opened.promise
  }

  /** Resolves when it has so many events. */
  async holds(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting = { count, resolve }
    this.#look()
    await promise
    if (this.#frames.length < count) throw this.#failure
  }

  /** Where a client is that misses the last `behind` events: positions are of a run whose numbers begin at 0. */
  positionBefore(behind: number): Position {
    return this.#positions[this.#frames.length - behind] as Position
  }

  /** Where in `bytes` the frames after the position of this id begin. */
  offsetOf(id: string): number {
    return this.#offsets.get(id) as number
  }

  /** All frames. */
  get bytes(): Buffer {
    return Buffer.from(this.#frames.join(''), 'latin1')
  }

  close(): void {
    this.#request.destroy()
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split(BLOCK_END)
    this.#rest = blocks.pop() as string
    for (const block of blocks) {
      const id = /^id: (.*)$/m.exec(block)?.[1]
      const last = this.#positions.at(-1)
      if (id === undefined) continue
      if (last) this.#takeFrame(block + BLOCK_END, id, last)
      else {
        this.#reach({ id, next: [] })
        this.#opened.resolve({ id, next: [] })
      }
    }
    this.#look()
  }

  #takeFrame(frame: string, id: string, last: Position): void {
    const [, partition, number] = ORDER_ID.exec(frame) ?? []
    if (partition === undefined) return
    const next = [...last.next]
    for (let i = next.length; i < Number(partition); i++) next[i] = 0
    next[Number(partition)] = Number(number) + 1
    this.#frames.push(frame)
    this.#length += frame.length
    this.#reach({ id, next })
  }

  #reach(position: Position): void {
    this.#positions.push(position)
    this.#offsets.set(position.id, this.#length)
  }

  #look(): void {
    const waiting = this.#waiting
    if (!waiting || (!this.#failure && this.#frames.length < waiting.count)) return
    this.#waiting = undefined
    waiting.resolve()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#opened.reject(error)
    this.#look()
  }
}
