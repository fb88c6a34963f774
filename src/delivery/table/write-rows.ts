import { UNKNOWN } from '../../streams/cursor/vector.ts'
import type { Position } from '../../streams/feed/position.ts'
import type { Capture } from '../../streams/table/capture.ts'
import type { Row } from '../../streams/table/row.ts'
import { PIECE_BYTES } from '../frames/piece.ts'
import type { ReplayHost } from '../replay/replay-host.ts'
import type { TableHistory } from './table-history.ts'

/** Written in one step: two shared pieces, which cost no memory, and half as many waits for the outlet as one. */
const STEP_BYTES = 2 * PIECE_BYTES
/** Less is worth putting together with what comes after it. */
const SMALL_BYTES = PIECE_BYTES / 4
/** Reads for one step: each looks at up to 1,024 rows, which may have to be rendered first. */
const MAX_READS = 8

type Write = (bytes: Buffer | undefined, frames: number, isShared: boolean) => boolean

interface Written {
  /** The place of the next row. */
  readonly place: number
  /** False: the outlet is full. */
  readonly hasRoom: boolean
  /** A row is being rendered: go on when it is settled. */
  readonly pending: Promise<void> | undefined
}

/** Writes rows of a capture to a member, from a place on: as many as one step should. */
export function writeRows(
  host: ReplayHost,
  history: TableHistory,
  capture: Capture,
  from: number,
  write: Write,
): Written {
  let small: Buffer[] = []
  let smallFrames = 0
  let hasRoom = true
  const writeSmall = (): void => {
    if (small.length > 0) hasRoom = write(Buffer.concat(small), smallFrames, false)
    small = []
    smallFrames = 0
  }
  let place = from
  let size = 0
  for (let reads = 0; place < capture.rows.length && size < STEP_BYTES && reads < MAX_READS; reads++) {
    const read = history.read(capture, place, host.framing.results)
    if (read instanceof Promise) {
      writeSmall()
      return { place, hasRoom, pending: read }
    }
    place = read.next
    if (!read.bytes) continue
    size += read.bytes.length
    if (read.isShared && read.bytes.length >= SMALL_BYTES) {
      writeSmall()
      if (!host.isClosed) hasRoom = write(read.bytes, read.frames, true)
    } else {
      small.push(read.bytes)
      smallFrames += read.frames
    }
    // The outlet has failed; or bytes of the member's own, which are memory for as long as it is full.
    if (host.isClosed || (!read.isShared && size >= SMALL_BYTES)) break
  }
  if (!host.isClosed) writeSmall()
  return { place, hasRoom, pending: undefined }
}

/** Whether a row is after a position. */
export function isUnseen(position: Position, { partition, offset }: Row): boolean {
  return offset >= Math.max(0, position.vector[partition] ?? UNKNOWN)
}
