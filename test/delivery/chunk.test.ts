import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Chunk, PIECE_BYTES } from '../../src/delivery/chunk.ts'
import { Statistics } from '../kit/statistics.ts'

/** How long the frame at each place is; 0: no frame. */
const lengths = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 400 }) },
        { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 90_000 }) },
      ),
      { minLength: 1, maxLength: 60, size: 'max' },
    ),
  },
  { weight: 1, arbitrary: fc.array(fc.constant(0), { minLength: 1, maxLength: 60, size: 'max' }) },
)

test('what was put into a chunk in any order is there, before and after it is laid out, and is read in order', () => {
  const statistics = new Statistics('chunks', ['laid out', 'several pieces', 'a frame larger than a piece', 'empty'])
  fc.assert(
    fc.property(lengths, fc.nat(), (sizes, seed) => {
      const frames = sizes.map((size, place) => (size === 0 ? null : Buffer.alloc(size, (place % 250) + 1)))
      const chunk = new Chunk(frames.length)
      const order = frames
        .map((_, place) => place)
        .toSorted((a, b) => ((a * 7919 + seed) % 61) - ((b * 7919 + seed) % 61))
      for (const [index, place] of order.entries()) {
        chunk.layOut()
        // The last place may be taken while others are still empty.
        expect([chunk.isLaidOut, chunk.at(place)]).toEqual([false, undefined])
        if (index % 3 === 0) chunk.put(place, Promise.resolve())
        chunk.put(place, frames[place] as Buffer | null)
      }
      const check = () => frames.every((frame, place) => compare(chunk.at(place), frame))
      expect(check()).toBe(true)
      chunk.layOut()
      expect([chunk.isLaidOut, check()]).toEqual([true, true])
      statistics.count('laid out')
      if (frames.every((frame) => frame === null)) statistics.count('empty')
      if (sizes.some((size) => size > PIECE_BYTES)) statistics.count('a frame larger than a piece')

      for (let from = 0; from < frames.length; from++) {
        const read: Buffer[] = []
        let pieces = 0
        for (let place = from; place < frames.length; pieces++) {
          const { bytes, end } = chunk.readFrom(place)
          expect(end).toBeGreaterThan(place)
          if (bytes) read.push(bytes)
          place = end
        }
        if (pieces > 1) statistics.count('several pieces')
        const expected = Buffer.concat(frames.slice(from).filter((frame) => frame !== null))
        expect(Buffer.concat(read).equals(expected)).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
  statistics.report()
})

test('a chunk counts its frames, and less beside them once they lie together', () => {
  const chunk = new Chunk(2)
  chunk.put(0, Buffer.alloc(1000))
  chunk.put(1, null)
  const before = chunk.bytes
  chunk.layOut()
  expect(before).toBeGreaterThan(chunk.bytes)
  expect(chunk.bytes).toBeGreaterThanOrEqual(1000)
})

function compare(slot: unknown, frame: Buffer | null): boolean {
  return frame === null ? slot === null : Buffer.isBuffer(slot) && slot.equals(frame)
}
