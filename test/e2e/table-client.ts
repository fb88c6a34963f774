import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { decodeCursor } from '../../src/streams/cursor/cursor.ts'
import type { TableOp } from '../../src/streams/table/item.ts'
import { type Block, onBlocks } from '../kit/blocks.ts'
import { NONE, rowOf, type TableLog } from './table-log.ts'

/** How soon a client that was cut comes back, at random between the two, ms. */
const BACK_MIN_MS = 5
const BACK_MAX_MS = 100

interface Result {
  readonly data?: { readonly regionSales: { op: TableOp; key: string | null; row: { orders: number } | null } } | null
  readonly errors?: readonly { readonly message: string }[]
  readonly extensions?: { readonly caughtUp?: boolean }
}

/** A client of a table that goes from one gateway to another whenever its stream is cut, and compares its rows. */
export class TableListener {
  readonly region: string | undefined
  readonly rows: Int32Array
  readonly errors: string[] = []
  /** Comparisons with the log, at the end of each way to the head, and after `READY`. */
  compared = 0
  different = 0
  resets = 0
  opened = 0
  moved = 0
  upserts = 0
  position = ''
  readonly #log: TableLog
  readonly #urls: readonly string[]
  #at: number
  #lastAt: number | undefined
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #timer: NodeJS.Timeout | undefined
  #hasStream = false
  #closed = false

  constructor(log: TableLog, urls: readonly string[], region: string | undefined, first: number) {
    this.region = region
    this.rows = new Int32Array(log.rows).fill(NONE)
    this.#log = log
    this.#urls = urls
    this.#at = first
    this.#connect()
  }

  get positions(): readonly number[] {
    return this.position === '' ? [] : decodeCursor('region-sales', this.position).positions
  }

  stall(): void {
    this.#response?.pause()
  }

  unstall(): void {
    this.#response?.resume()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#request?.destroy()
  }

  compare(): void {
    this.compared++
    const wanted = this.#log.at(this.positions, this.region)
    for (let row = 0; row < wanted.length; row++) {
      if (wanted[row] === this.rows[row]) continue
      this.different++
      this.errors.push(`Row ${row} is ${this.rows[row]}, not ${wanted[row]}, at ${this.positions}`)
      return
    }
  }

  #connect(): void {
    const args = this.region === undefined ? '' : `(regions: [${this.region}])`
    const query = `subscription { regionSales${args} { op key row { orders } } }`
    const headers = {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      ...(this.position && { 'last-event-id': this.position }),
    }
    // Whichever of its events comes first is the end of it.
    let over = false
    const end = () => {
      if (over) return
      over = true
      this.#comeBack()
    }
    const url = `${this.#urls[this.#at]}/graphql`
    const request = httpRequest(url, { method: 'POST', headers, agent: false }, (response) => {
      this.#response = response
      response.on('close', end).on('error', end)
      if (response.statusCode === 200) onBlocks(response, (block) => this.#take(block))
      else response.resume()
    })
    request.on('error', end).on('close', end)
    request.end(JSON.stringify({ query, extensions: { markers: true } }))
    this.#request = request
  }

  #take({ id = '', event = '', data = '' }: Block): void {
    if (!this.#hasStream) {
      this.#hasStream = true
      this.opened++
      if (this.#lastAt !== undefined && this.#lastAt !== this.#at) this.moved++
      this.#lastAt = this.#at
    }
    if (id !== '') this.position = id
    if (event === 'complete') this.errors.push('complete')
    if (event !== 'next') return
    const { data: told, errors, extensions } = JSON.parse(data) as Result
    for (const { message } of errors ?? []) this.errors.push(message)
    if (told) this.#takeItem(told.regionSales)
    if (extensions?.caughtUp) this.compare()
  }

  #takeItem({ op, key, row }: NonNullable<Result['data']>['regionSales']): void {
    if (op === 'RESET') {
      this.rows.fill(NONE)
      this.resets++
    } else if (op === 'READY') this.compare()
    else if (op === 'REMOVE') this.rows[rowOf(key as string)] = NONE
    else this.rows[rowOf(key as string)] = row?.orders ?? NONE
    if (op === 'UPSERT') this.upserts++
  }

  #comeBack(): void {
    if (this.#closed) return
    this.#hasStream = false
    this.#at = (this.#at + 1) % this.#urls.length
    this.#timer = setTimeout(() => this.#connect(), BACK_MIN_MS + Math.random() * (BACK_MAX_MS - BACK_MIN_MS))
  }
}
