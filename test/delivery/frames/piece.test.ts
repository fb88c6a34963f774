import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Piece } from '../../../src/delivery/frames/piece.ts'
import { BY_ID, IN_EXTENSIONS } from '../../../src/protocol/event-stream.ts'
import { frame, NO_CURSOR, type ResultFraming } from '../../../src/protocol/framing.ts'
import { IN_PARTS, IN_PARTS_WITH_CURSORS } from '../../../src/protocol/multipart.ts'

const FRAMINGS = [BY_ID, IN_EXTENSIONS, IN_PARTS, IN_PARTS_WITH_CURSORS]
const anyFraming = fc.constantFrom(...FRAMINGS)

const results = fc.array(
  fc.option(
    fc.json().map((json) => `{"data":${json.replaceAll('\n', ' ')}}`),
    { nil: null, freq: 3 },
  ),
  { minLength: 1, maxLength: 40 },
)

/** What a piece is made of, given a result or none for each place from `begin` on. */
function pieceOf(begin: number, jsons: readonly (string | null)[], cursors?: readonly string[]): Piece {
  const places = [...jsons.keys()].filter((place) => jsons[place] !== null)
  return new Piece(begin, begin + jsons.length, {
    places: places.map((place) => begin + place),
    jsons: places.map((place) => jsons[place] as string),
    cursors: cursors && places.map((place) => cursors[place] as string),
  })
}

/** The bytes of a run, framed one by one. */
function framed(
  framing: ResultFraming,
  jsons: readonly (string | null)[],
  cursors: readonly string[] | undefined,
): string {
  const blocks = jsons.map((json, place) => {
    if (json === null) return ''
    const cursor = cursors ? Buffer.from(cursors[place] as string) : NO_CURSOR
    return frame(framing, cursor, Buffer.from(json)).toString()
  })
  return blocks.join('')
}

test('a piece has the same results and frames, whichever framing reads it first, and however often', () => {
  fc.assert(
    fc.property(results, fc.boolean(), fc.array(anyFraming, { maxLength: 5 }), (jsons, named, order) => {
      const cursors = named ? jsons.map((json, place) => (json === null ? '' : `AQ${place}`)) : undefined
      const piece = pieceOf(100, jsons, cursors)
      for (const { results: framing } of [...order, ...FRAMINGS]) {
        const run = piece.read(100, 100 + jsons.length, framing)
        expect(run.bytes?.toString() ?? '').toBe(framed(framing, jsons, cursors))
        expect(run.count).toBe(jsons.filter((json) => json !== null).length)
        for (const [place, json] of jsons.entries()) expect(piece.json(100 + place)?.toString() ?? null).toBe(json)
      }
    }),
  )
})

test('a piece keeps its results once: within the frames, once there are some', () => {
  const jsons = Array.from({ length: 200 }, (_each, n) => JSON.stringify({ data: { n, text: 'x'.repeat(250) } }))
  const piece = pieceOf(0, jsons)
  const { bytes } = piece
  piece.read(0, 200, BY_ID.results)
  expect(piece.bytes).toBeLessThan(1.2 * bytes)
  expect(piece.read(0, 200, BY_ID.results).bytes).toBe(piece.read(0, 200, BY_ID.results).bytes)
})

test('a place without a result takes nothing: a piece of a million places is as large as its results', () => {
  const results = {
    places: [3, 500_000, 999_999],
    jsons: ['{"data":1}', '{"data":2}', '{"data":3}'],
    cursors: undefined,
  }
  const piece = new Piece(0, 1_000_000, results)
  expect(piece.bytes).toBeLessThan(1000)
  expect(piece.read(4, 999_999, BY_ID.results).count).toBe(1)
  expect([0, 3, 500_000, 999_999].map((place) => piece.json(place)?.toString())).toEqual([undefined, ...results.jsons])
})
