import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Results } from '../../../src/delivery/frames/piece.ts'
import { Chunk } from '../../../src/delivery/replay/chunk.ts'
import { BY_ID, IN_EXTENSIONS } from '../../../src/protocol/event-stream.ts'
import { frame, NO_CURSOR } from '../../../src/protocol/framing.ts'
import { OperationFraming } from '../../../src/protocol/single-connection.ts'
import { Statistics } from '../../kit/statistics.ts'

/** What is put into a chunk, given a result or none for each place from `begin` on. */
function resultsOf(begin: number, jsons: readonly (string | null)[], cursors?: readonly string[]): Results {
  const places = [...jsons.keys()].filter((place) => jsons[place] !== null)
  return {
    places: places.map((place) => begin + place),
    jsons: places.map((place) => jsons[place] as string),
    cursors: cursors && places.map((place) => cursors[place] as string),
  }
}

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
  reads: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(2)), { minLength: 1, maxLength: 8 }),
  hasCursors: fc.boolean(),
  order: fc.nat(),
})

test('what was put into a chunk piece by piece, in any order, is read from anywhere to anywhere', () => {
  const statistics = new Statistics('chunks', [
    'pieces',
    'part of a piece',
    'a whole piece',
    'empty',
    'not ASCII',
    'without positions',
    'framed for one operation',
  ])
  fc.assert(
    fc.property(texts, ({ lengths, isAscii, cuts, reads, hasCursors, order }) => {
      const letter = isAscii ? 'x' : 'é'
      const frames = lengths.map((length, place) => (length === 0 ? null : `{${place}${letter.repeat(length)}}`))
      const cursors = frames.map((each, place) => (each === null ? '' : `c${place}`))
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
        const results = resultsOf(begin, frames.slice(begin, end), hasCursors ? cursors.slice(begin, end) : undefined)
        chunk.add(begin, end, results)
        statistics.count('pieces')
      }
      for (const [from, length, which] of reads) {
        const place = from % frames.length
        const piece = chunk.pieceAt(place)
        if (!piece) throw new Error('It was put there')
        const to = Math.min(piece.end, place + 1 + (length % frames.length))
        const { results: framing } = [BY_ID, IN_EXTENSIONS, new OperationFraming('1', true)][which] ?? BY_ID
        if (!framing.isShared) statistics.count('framed for one operation')
        const { bytes, count, firstCursor } = piece.read(place, to, framing)
        const places = Array.from({ length: to - place }, (_, i) => place + i).filter((at) => frames[at] !== null)
        const expected = places.map((at) =>
          frame(framing, hasCursors ? Buffer.from(`c${at}`) : NO_CURSOR, Buffer.from(frames[at] as string)),
        )
        expect([bytes?.toString() ?? '', count]).toEqual([expected.join(''), expected.length])
        expect(firstCursor).toBe(hasCursors && places.length > 0 ? `c${places[0]}` : undefined)
        expect(piece.json(place)?.toString() ?? null).toBe(frames[place])
        statistics.count(place === piece.begin && to === piece.end ? 'a whole piece' : 'part of a piece')
      }
      if (!hasCursors) statistics.count('without positions')
      if (frames.every((each) => each === null)) statistics.count('empty')
      if (!isAscii) statistics.count('not ASCII')
    }),
    { numRuns: 300 },
  )
  statistics.report()
})

test('members of one framing are given the same bytes', () => {
  const chunk = new Chunk(2)
  chunk.add(0, 2, resultsOf(0, ['{"data":1}', '{"data":2}'], ['a', 'b']))
  const piece = chunk.pieceAt(0)
  const [one, other] = [piece?.read(0, 2, BY_ID.results).bytes, piece?.read(0, 2, BY_ID.results).bytes]
  expect(one?.buffer).toBe(other?.buffer)
  expect(one?.byteOffset).toBe(other?.byteOffset)
})

test('a chunk counts the bytes that it holds, in every framing, and what had to be awaited', () => {
  const chunk = new Chunk(2)
  const empty = chunk.bytes
  chunk.putApart(0, Promise.resolve())
  expect(chunk.bytes).toBe(empty)
  chunk.putApart(0, 'x'.repeat(1000))
  expect([chunk.apart(0), chunk.bytes]).toEqual(['x'.repeat(1000), empty + 1000])
  chunk.add(0, 2, resultsOf(0, ['x'.repeat(1000), null], ['cursor', '']))
  expect(chunk.apart(0)).toBeUndefined()
  // The results are within the frames of the first, and not kept beside them.
  for (const [i, framing] of [BY_ID, IN_EXTENSIONS].entries()) {
    chunk.pieceAt(0)?.read(0, 2, framing.results)
    expect(chunk.bytes).toBeGreaterThanOrEqual(empty + (i + 1) * 1000)
    expect(chunk.bytes).toBeLessThan(empty + (i + 1) * 1000 + 1500)
  }
})
