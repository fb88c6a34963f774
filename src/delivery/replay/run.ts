import { PIECE_BYTES, type Results } from '../frames/piece.ts'
import type { Rendered } from './chunk.ts'

/** Events rendered in one step: some milliseconds, if they are not compiled. */
const MAX_RENDERED = 256
/** Events looked at in one step, of those that the group may select. */
const MAX_LOOKED = 1024

/** The events of a run, requested in the order of places. */
export interface Run {
  /** The first place from this one on whose event the group may select; any beyond the run, if there is none. */
  next(place: number): number
  json(place: number): Rendered
  /** The position after the last requested place; undefined: the reader knows it. */
  readonly cursor: (() => string) | undefined
}

export interface RenderedRun {
  readonly results: Results
  /** Of the results, with their positions. */
  readonly size: number
  /** Number of events. */
  readonly looked: number
  /** The place before which all have been rendered. */
  readonly passed: number
  /** Pending: the result of the event at `passed`. */
  readonly awaited: Promise<void> | undefined
}

/** Renders the events of a run from one place to before another: as many as a step should, or up to one that is awaited. */
export function render(run: Run, begin: number, end: number): RenderedRun {
  const places: number[] = []
  const jsons: string[] = []
  const cursors: string[] = []
  const results = { places, jsons, cursors: run.cursor && cursors }
  let size = 0
  let looked = 0
  for (let at = run.next(begin); at < end; at = run.next(at + 1)) {
    if (size >= 2 * PIECE_BYTES || jsons.length >= MAX_RENDERED || looked >= MAX_LOOKED) {
      return { results, size, looked, passed: at, awaited: undefined }
    }
    const json = run.json(at)
    if (json instanceof Promise) return { results, size, looked, passed: at, awaited: json }
    looked++
    if (json === null) continue
    const cursor = run.cursor?.() ?? ''
    places.push(at)
    jsons.push(json)
    cursors.push(cursor)
    size += json.length + cursor.length
  }
  return { results, size, looked, passed: end, awaited: undefined }
}
