import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { FrameBudget } from '../../src/delivery/frames/frame-budget.ts'
import { cursorBytes, FrameLog } from '../../src/delivery/frames/frame-log.ts'
import { Piece } from '../../src/delivery/frames/piece.ts'
import { Arena } from '../../src/memory/arena.ts'
import { ownBytes, ownText } from '../../src/memory/own-bytes.ts'
import { BY_ID } from '../../src/protocol/event-stream.ts'
import { OperationFraming } from '../../src/protocol/single-connection.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const KEPT = 2_000
/** Made around each that is kept, as writes are. */
const PASSING = 40

/** Bytes outside of the heap that `make` keeps, while small Buffers that nobody keeps are made around them. */
function outside(make: (i: number) => unknown): { readonly kept: unknown[]; readonly bytes: number } {
  const look = () => {
    for (let count = 0; count < 3; count++) collectGarbage()
    return process.memoryUsage().arrayBuffers
  }
  const before = look()
  const kept = Array.from({ length: KEPT }, (_, i) => {
    const one = make(i)
    for (let count = 0; count < PASSING; count++) Buffer.allocUnsafe(300 + count)
    return one
  })
  return { kept, bytes: look() - before }
}

test('what is kept and small does not hold on to the memory of what was made around it', () => {
  const arena = new Arena()
  const text = 'x'.repeat(200)
  const jsons = Array.from({ length: 4 }, () => `{"data":{"order":"${text}"}}`)
  const cursors = jsons.map((_, i) => `cursor-${i}`)
  const kinds: Record<string, { readonly make: (i: number) => unknown; readonly bytes: number }> = {
    'a text in an arena': { make: (i) => arena.keep(text + i), bytes: 204 },
    'a text by itself': { make: (i) => ownText(text + i), bytes: 204 },
    'a part of other bytes': { make: () => ownBytes(Buffer.allocUnsafe(400).subarray(0, 200)), bytes: 200 },
    'results of the past': {
      make: () => {
        const piece = new Piece(0, 4, { places: [0, 1, 2, 3], jsons, cursors })
        piece.read(0, 4, BY_ID.results)
        return piece
      },
      bytes: 4 * 300 + 4 * 20,
    },
    'a frame log of one frame': {
      make: (i) => {
        const log = new FrameLog(new FrameBudget(1e6), { first: 0, dropOldest: () => {} })
        log.append(cursorBytes(`cursor-${i}`), arena.keep(jsons[0] as string), i, [])
        return log
      },
      bytes: 250,
    },
    'an operation of a stream that has several': {
      make: (i) => new OperationFraming(`operation ${i}`, true),
      bytes: 60,
    },
  }
  for (const [kind, { make, bytes }] of Object.entries(kinds)) {
    const taken = outside(make)
    console.log(`${kind}: ${Math.round(taken.bytes / KEPT)} bytes each`)
    expect(taken.bytes / KEPT, kind).toBeLessThan(2 * bytes + 100)
    expect(taken.kept).toHaveLength(KEPT)
  }
})
