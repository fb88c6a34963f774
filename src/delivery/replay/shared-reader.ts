import type { ResultFraming } from '../../protocol/framing.ts'
import { PIECE_BYTES } from '../frames/piece.ts'
import type { History, Read } from './history.ts'
import type { NamedPosition } from './named-position.ts'

/** As much is written as it lies there; less is worth putting together with what comes after it. */
const ENOUGH_BYTES = PIECE_BYTES / 4
/** Reads for one write: each looks at up to 1,024 events, which may have to be rendered first. */
const MAX_READS = 8

interface SharedReading {
  readonly limit: number
  readonly framing: ResultFraming
  /** Others are likely to need the same. */
  readonly isKept: boolean
  readonly named: NamedPosition
}

/**
 * Reads the window from `seq` to before `limit`, as the members in step have it: one write. A promise: call again when
 * it is settled. Undefined: the member was told a higher position than what lies there.
 */
export function readShared(
  history: History,
  seq: number,
  { limit, framing, isKept, named }: SharedReading,
): Omit<Read, 'firstCursor'> | Promise<void> | undefined {
  const pieces: Buffer[] = []
  let [size, frames, next, isShared] = [0, 0, seq, false]
  // Where little matches, several reads make one write.
  for (let reads = 0; next < limit && size < ENOUGH_BYTES && reads < MAX_READS; reads++) {
    const read = history.read(next, limit, framing, isKept)
    if (read instanceof Promise) {
      if (next === seq) return read
      break
    }
    if (read.firstCursor !== undefined && named.isAbove(read.firstCursor)) return undefined
    if (read.bytes) pieces.push(read.bytes)
    isShared ||= read.isShared
    size += read.bytes?.length ?? 0
    frames += read.frames
    next = read.next
  }
  const bytes = pieces.length > 1 ? Buffer.concat(pieces, size) : pieces[0]
  return { bytes, frames, isShared: isShared && pieces.length === 1, next }
}
