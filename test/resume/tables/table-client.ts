import { decodeCursor } from '../../../src/streams/cursor/cursor.ts'
import type { TableOp } from '../../../src/streams/table/item.ts'
import type { Told, ToldLog } from './told-log.ts'

interface Result {
  readonly data: { readonly paints: { op: TableOp; key: string | null; row: { n: number } | null } } | null
  readonly errors?: readonly { readonly message: string }[]
  readonly extensions?: { readonly caughtUp?: boolean; readonly cursor?: string }
}

/**
 * A client of a table that believes nothing: it keeps the rows that it is told, and compares them with what the log
 * holds at each position that it is given.
 */
export class TableClient {
  readonly selects: (told: Told) => boolean
  readonly rows = new Map<string, number>()
  /** Where it would come back to. */
  position: string | undefined
  /** Between `RESET` and `READY`. */
  isBeginning = true
  caughtUp = 0
  resets = 0
  removes = 0
  upserts = 0
  /** Rows that it was told without a position after them: it may have them from later than its position says, */
  readonly #between = new Set<string>()
  /** which remains so, until they are told again, if its connection went before the position came. */
  readonly #ahead = new Set<string>()
  readonly #log: ToldLog
  readonly #transcript: string[] = []
  #rest = ''

  constructor(log: ToldLog, selects: (told: Told) => boolean) {
    this.#log = log
    this.selects = selects
  }

  get positions(): readonly number[] | undefined {
    return this.position === undefined ? undefined : decodeCursor('paints', this.position).positions
  }

  connected(): void {
    this.#rest = ''
    this.caughtUp = 0
    for (const key of this.#between) this.#ahead.add(key)
    this.#between.clear()
    this.#transcript.push(`connected at ${this.positions}`)
  }

  forget(): void {
    this.position = undefined
    this.rows.clear()
    this.isBeginning = true
  }

  take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() as string
    try {
      for (const block of blocks) this.#takeBlock(block)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#transcript.slice(-60).join('\n')}`, { cause: error })
    }
  }

  /** The rows are those of the log at the position. */
  checkRows(what: string): void {
    const wanted = this.#log.rowsAt(this.positions ?? [], this.selects)
    const isAtEnd = this.positions?.join() === this.#log.ends.join()
    const except = isAtEnd ? new Set<string>() : this.#ahead
    const [has, wants] = [textOf(this.rows, except), textOf(wanted, except)]
    if (has !== wants)
      throw new Error(
        `At ${what}, ${this.positions}: has ${has}, not ${wants}\n${this.#transcript.slice(-60).join('\n')}`,
      )
  }

  #takeBlock(block: string): void {
    const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s)))
    const { id, event, data } = fields as Record<string, string | undefined>
    this.#transcript.push(`  ${event ?? 'position'} ${id && decodeCursor('paints', id).positions} ${data}`)
    const result = event === 'next' ? (JSON.parse(data ?? '') as Result) : undefined
    if (result?.data) this.#takeItem(result.data.paints, id)
    else if (result?.errors) throw new Error(`An error: ${data}`)
    const op = result?.data?.paints.op
    if (id !== undefined) {
      const isNew = id !== this.position
      if (isNew) this.#between.clear()
      this.position = id
      // Nowhere: its rows are void.
      if (this.positions?.every((offset) => offset < 0)) this.isBeginning = true
      // Each position is one of a moment, at which the rows are those of the log.
      if (isNew && !this.isBeginning) this.checkRows(op ?? 'a position')
    }
    if (!result?.extensions?.caughtUp) return
    this.caughtUp++
    this.checkRows('the end of its way')
  }

  #takeItem({ op, key, row }: NonNullable<Result['data']>['paints'], id: string | undefined): void {
    switch (op) {
      case 'RESET':
        this.rows.clear()
        this.#between.clear()
        this.#ahead.clear()
        this.isBeginning = true
        this.resets++
        if (id !== undefined) throw new Error('RESET with a position')
        // Whatever position it had is of no use, and it was told so.
        if (this.positions?.some((offset) => offset >= 0)) throw new Error('RESET, and the old position stays')
        return
      case 'ROW':
        if (!this.isBeginning) throw new Error('ROW after READY')
        break
      case 'READY':
        if (!this.isBeginning || id === undefined) throw new Error('READY twice, or without a position')
        this.isBeginning = false
        this.position = id
        this.checkRows('READY')
        return
      case 'UPSERT':
        this.upserts++
        break
      case 'REMOVE':
        this.removes++
        this.rows.delete(key as string)
        break
    }
    this.#ahead.delete(key as string)
    if (!this.isBeginning) this.#between.add(key as string)
    if (this.isBeginning && id !== undefined) throw new Error(`${op} with a position, before READY`)
    if (op === 'REMOVE') return
    const told = this.#log.of(row?.n as number)
    if (told.key !== key) throw new Error(`${op} of ${key} with the value of ${told.key}`)
    if (!this.selects(told)) throw new Error(`${op} of a row that it did not ask for`)
    this.rows.set(key, told.n as number)
  }
}

function textOf(rows: ReadonlyMap<string, number>, except: ReadonlySet<string>): string {
  return [...rows]
    .filter(([key]) => !except.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, n]) => `${key}=${n}`)
    .join()
}
