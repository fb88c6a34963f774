import type { Position } from '../../streams/feed/position.ts'
import type { CatchUp } from './catch-up.ts'
import type { History } from './history.ts'

export interface ReplayOptions {
  readonly history: History
  readonly position: Position
  readonly hasMarker: boolean
  /** With a throttle: how the past is shown. */
  readonly catchUp: CatchUp | undefined
}
