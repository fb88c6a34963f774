import type { Vector } from '../cursor/vector.ts'
import type { Restarts } from './window.ts'

/** A position up to which all results have been passed on: never past an event that is being resolved, or is held. */
export interface Settled {
  readonly cursor: string
  readonly vector: Vector
  /** Sequence number of the next event in the window. Below the window's first while it reads from the log. */
  readonly seq: number
  /** The restarts at that position: positions from before and after one cannot be compared. */
  readonly restarts: Restarts
}
