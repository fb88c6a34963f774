import type { Vector } from '../cursor/vector.ts'
import type { StreamEvent } from '../event.ts'
import type { Lookups } from '../topic/topic.ts'
import type { Row } from './row.ts'

/** A reader sees only rows that have one of these values of an indexed property, and is told of no other. */
export interface RowBound {
  readonly property: string
  admits(value: unknown): boolean
}

/** A change of an indexed value of a row. */
export interface Move {
  /** Of the record that changed it. */
  readonly offset: number
  readonly before: unknown
}

/**
 * What a row owes to its past. A row that a reader may not see now is told as removed only to a reader that could see
 * it: to tell others would tell them its key.
 */
export interface RowPast {
  /** Of a removed row, the indexed values that it had; undefined: it had none, as far as is known. */
  readonly had?: readonly unknown[] | undefined
  /** By place in the topic's index, the last change of the value; undefined: none is known. */
  readonly moves?: readonly (Move | undefined)[] | undefined
}

type Readers = readonly ((event: StreamEvent) => unknown)[]

/** The past of a row that replaces another. `readers`: of the topic's index. */
export function pastOf(
  readers: Readers,
  offset: number,
  event: StreamEvent | undefined,
  known: Row | undefined,
): RowPast {
  const before = known?.event ? readers.map((read) => read(known.event as StreamEvent)) : known?.had
  const had = event ? undefined : before
  if (!event || !before) return { had, moves: known?.moves }
  let { moves } = known as Row
  for (const [place, read] of readers.entries()) {
    if (read(event) === before[place]) continue
    const moved = readers.map((_, index) => moves?.[index])
    moved[place] = { offset, before: before[place] }
    moves = moved
  }
  return { had, moves }
}

/**
 * Whether a reader at a position may be told that a row was removed: it is within the reader's bounds, or was, and has
 * left them since.
 */
export function mayTell(
  row: Row,
  vector: Vector,
  bounds: readonly RowBound[] | undefined,
  { indexed }: Lookups,
): boolean {
  if (!bounds) return true
  const { event, had, moves, partition } = row
  const from = Math.max(0, vector[partition] ?? 0)
  const names = [...indexed.keys()]
  return bounds.every(({ property, admits }) => {
    const place = names.indexOf(property)
    const read = indexed.get(property)
    if (!read || (!event && !had)) return false
    if (admits(event ? read(event) : had?.[place])) return true
    const move = moves?.[place]
    return move !== undefined && move.offset >= from && admits(move.before)
  })
}
