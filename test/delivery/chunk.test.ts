import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Chunk } from '../../src/delivery/chunk.ts'
import { Statistics } from '../kit/statistics.ts'

/** How long the frame at each place is; 0: no frame. */
const lengths: fc.Arbitrary<number[]> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 400 }) },
        { weight: 1, arbitrary: fc.integer({ min: 2000, max: 9000 }) },
      ),
      { minLength: 1, maxLength: 60, size: 'max' },
    ),
  },
  { weight: 1, arbitrary: fc.array(fc.constant(0), { minLength: 1, maxLength: 60, size: 'max' }) },
)

const texts = fc.record({
  lengths,
  isAscii: fc.boolean(),
  cuts: fc.array(fc.nat(), { maxLength: 6 }),
  reads: fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 8 }),
  order: fc.nat(),
})

test('what was put into a chunk piece by piece, in any order, is read from anywhere to anywhere', () => {
  const statistics = new Statistics('chunks', ['pieces', 'part of a piece', 'a whole piece', 'empty', 'not ASCII'])
  fc.assert(
    fc.property(texts, ({ lengths, isAscii, cuts, reads, order }) => {
      const letter = isAscii ? 'x' : 'é'
      const frames = lengths.map((length, place) => (length === 0 ? null : `${place}${letter.repeat(length)}`))
      const bounds = [...new Set([0, ...cuts.map((cut) => cut % frames.length)])].toSorted((a, b) => a - b)
      const runs = bounds.map((begin, i) => ({ begin, end: bounds[i + 1] ?? frames.length }))
      const chunk = new Chunk(frames.length)
      for (const { begin, end } of runs.toSorted(
        (a, b) => ((a.begin * 7919 + order) % 61) - ((b.begin * 7919 + order) % 61),
      )) {
        expect(chunk.pieceAt(begin)).toBeUndefined()
        const space = chunk.spaceAround(begin)
        const isTaken = (place: number) => place < 0 || place === frames.length || chunk.pieceAt(place) !== undefined
        expect([isTaken(space.begin - 1), isTaken(space.end)]).toEqual([true, true])
        for (let place = space.begin; place < space.end; place++) expect(isTaken(place)).toBe(false)
        expect(space.begin <= begin && end <= space.end).toBe(true)
        chunk.add(begin, frames.slice(begin, end))
        statistics.count('pieces')
      }
      for (const [from, length] of reads) {
        const place = from % frames.length
        const piece = chunk.pieceAt(place)
        if (!piece) throw new Error('It was put there')
        const to = Math.min(piece.end, place + 1 + (length % frames.length))
        const { bytes, count } = chunk.read(piece, place, to)
        const expected = frames.slice(place, to).filter((frame) => frame !== null)
        expect([bytes?.toString() ?? '', count]).toEqual([expected.join(''), expected.length])
        expect(chunk.at(piece, place)?.toString() ?? null).toBe(frames[place])
        statistics.count(place === piece.begin && to === piece.end ? 'a whole piece' : 'part of a piece')
      }
      if (frames.every((frame) => frame === null)) statistics.count('empty')
      if (!isAscii) statistics.count('not ASCII')
    }),
    { numRuns: 300 },
  )
  statistics.report()
})

test('a chunk counts the bytes that it holds, and what had to be awaited until it lies in a piece', async () => {
  const chunk = new Chunk(2)
  const empty = chunk.bytes
  chunk.putApart(0, Promise.resolve())
  expect(chunk.bytes).toBe(empty)
  chunk.putApart(0, 'x'.repeat(1000))
  expect([chunk.apart(0), chunk.bytes]).toEqual(['x'.repeat(1000), empty + 1000])
  chunk.add(0, ['x'.repeat(1000), null])
  expect(chunk.apart(0)).toBeUndefined()
  expect(chunk.bytes).toBeGreaterThanOrEqual(empty + 1000)
  expect(chunk.bytes).toBeLessThan(empty + 1200)
})
