import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Block, BlockReader } from '../../packages/client/src/blocks.ts'
import { Statistics } from '../kit/statistics.ts'

const MAX_BYTES = 1_000_000

function readAll(pieces: readonly Uint8Array[], maxBytes = MAX_BYTES): Block[] {
  const reader = new BlockReader(maxBytes)
  return pieces.flatMap((piece) => [...reader.read(piece)])
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (blocks: readonly Block[]) => Buffer.concat(blocks.map(({ bytes }) => bytes)).toString()
const meaningOf = (blocks: readonly Block[]) => blocks.map(({ bytes: _, ...meaning }) => meaning)

/** The standard's rules, line by line over the whole text: slow, and plainly right. */
function expected(text: string): { blocks: Omit<Block, 'bytes'>[]; ends: number[] } {
  const blocks: Omit<Block, 'bytes'>[] = []
  const ends: number[] = []
  const fresh = () => ({ id: undefined as string | undefined, retryMs: undefined as number | undefined })
  let block = { ...fresh(), event: '', hasData: false }
  for (const match of text.matchAll(/([^\r\n]*)(\r\n|\r|\n)/g)) {
    const line = match.index === 0 ? match[1]!.replace(/^\ufeff/, '') : match[1]!
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (line === '') {
      blocks.push(block)
      ends.push(match.index + match[0].length)
      block = { ...fresh(), event: '', hasData: false }
    } else if (name === 'event') block.event = value
    else if (name === 'data') block.hasData ||= value !== ''
    else if (name === 'id' && !value.includes('\0')) block.id = value
    else if (name === 'retry' && /^\d+$/.test(value)) block.retryMs = Number(value)
  }
  return { blocks, ends }
}

const value = fc.string({ unit: fc.constantFrom(...'a1: \0\u2028\ufeffé東🛒'), maxLength: 6 })
const field = fc.oneof(
  fc.tuple(fc.constantFrom('id', 'event', 'data', 'retry', '', 'ids', 'x', 'datas'), fc.constantFrom(':', ': '), value),
  fc.tuple(fc.constantFrom('retry', 'id'), fc.constant(': '), fc.nat(99_999).map(String)),
  fc.tuple(fc.constantFrom('id', 'data', 'event', 'nothing of it'), fc.constant(''), fc.constant('')),
)
const lineEnd = fc.constantFrom('\n', '\r', '\r\n')
const line = fc.tuple(
  fc.oneof({ weight: 3, arbitrary: field.map((parts) => parts.join('')) }, { weight: 2, arbitrary: fc.constant('') }),
  lineEnd,
)
const stream = fc
  .record({ mark: fc.boolean(), lines: fc.array(line, { maxLength: 30 }), rest: value })
  .map(({ mark, lines, rest }) => `${mark ? '\ufeff' : ''}${lines.flat().join('')}${rest}`)

test('any stream, cut anywhere, has the blocks that the standard gives it', () => {
  const statistics = new Statistics('blocks', [
    'streams',
    'blocks',
    'cuts in a CRLF',
    'cuts in a character',
    'byte order marks',
    'ids',
    'ids with NUL',
    'retries',
    'unfinished rests',
    'byte by byte',
  ])
  fc.assert(
    fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), (text, places, single) => {
      const bytes = bytesOf(text)
      const pieces = single ? [...bytes].map((byte) => Uint8Array.of(byte)) : cut(bytes, places)
      const blocks = readAll(pieces)
      const { blocks: wanted, ends } = expected(text)
      expect(meaningOf(blocks)).toEqual(wanted)

      // Byte for byte, up to the end of the last block; the LF of a CRLF that was cut may wait for the next one.
      const whole = text.slice(0, ends.at(-1) ?? 0)
      expect([whole, whole.replace(/\n$/, '')]).toContain(textOf(blocks))

      statistics.count('streams')
      statistics.count('blocks', blocks.length)
      statistics.count('ids', blocks.filter(({ id }) => id).length)
      statistics.count('retries', blocks.filter(({ retryMs }) => retryMs !== undefined).length)
      if (single) statistics.count('byte by byte')
      if (text.startsWith('\ufeff')) statistics.count('byte order marks')
      if (/^id:[^\r\n]*\0/m.test(text)) statistics.count('ids with NUL')
      if (whole.length < text.length) statistics.count('unfinished rests')
      for (const piece of pieces.slice(1)) {
        const before = bytes[piece.byteOffset - bytes.byteOffset - 1]
        if (before === 13 && piece[0] === 10) statistics.count('cuts in a CRLF')
        if (((piece[0] ?? 0) & 0xc0) === 0x80) statistics.count('cuts in a character')
      }
    }),
    { numRuns: 3_000 },
  )
  statistics.report()
})

test.each(['\n', '\r', '\r\n'])(
  'a stream of the gateway with line ends %j is the same, cut at any two bytes',
  (end) => {
    const text =
      'retry: 1200\nid: A\ndata:\n\nid: B\nevent: next\ndata: {"é":"東🛒"}\n\n:\n\nevent: complete\ndata:\n\n'
    const bytes = bytesOf(text.replaceAll('\n', end))
    let cuts = 0
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++, cuts++) {
        const blocks = readAll([bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)])
        expect(meaningOf(blocks)).toEqual([
          { id: 'A', retryMs: 1200, event: '', hasData: false },
          { id: 'B', retryMs: undefined, event: 'next', hasData: true },
          { id: undefined, retryMs: undefined, event: '', hasData: false },
          { id: undefined, retryMs: undefined, event: 'complete', hasData: false },
        ])
      }
    }
    console.log(`gateway stream with ${JSON.stringify(end)}: ${cuts} pairs of cuts`)
  },
)

test('a block is given out with its blank line, not later', () => {
  const reader = new BlockReader(MAX_BYTES)
  expect([...reader.read(bytesOf('id: 1\r\n\r'))]).toMatchObject([{ id: '1' }])
  const [next] = reader.read(bytesOf('\nid: 2\r\n\r\n'))
  expect(next).toMatchObject({ id: '2', bytes: bytesOf('\nid: 2\r\n\r\n') })
})

test('a line separator of Unicode within data makes no line, so nobody can smuggle in an id', () => {
  expect(meaningOf(readAll([bytesOf('id: 1\ndata: "\u2028id: 9\u2029id: 9\u0085id: 9"\n\n')]))).toMatchObject([
    { id: '1' },
  ])
})

test('a block may be as large as the limit, and no larger, however it is cut', () => {
  const right = bytesOf(`id: 1\n\ndata: ${'x'.repeat(92)}\n\n`)
  const large = bytesOf(`id: 1\n\ndata: ${'x'.repeat(93)}\n\n`)
  for (let place = 0; place <= right.length; place++) expect(readAll(cut(right, [place]), 100)).toHaveLength(2)
  for (let place = 0; place <= large.length; place++) {
    const blocks: Block[] = []
    const reader = new BlockReader(100)
    const read = () => {
      for (const piece of cut(large, [place])) for (const block of reader.read(piece)) blocks.push(block)
    }
    expect(read).toThrow(expect.objectContaining({ code: 'BLOCK_TOO_LARGE' }))
    expect(meaningOf(blocks)).toMatchObject([{ id: '1' }])
  }
})

test('a block of many chunks costs time in proportion to its size', () => {
  const chunk = bytesOf('x'.repeat(1_000))
  /** CPU time, which others on the machine do not add to; the best of some, so that warming up does not count. */
  const cost = (chunks: number): number => {
    const rounds = Array.from({ length: 3 }, () => {
      const reader = new BlockReader(Number.POSITIVE_INFINITY)
      const start = process.cpuUsage()
      for (let i = 0; i < chunks; i++) for (const _ of reader.read(chunk)) throw new Error('No block ends here')
      const { user, system } = process.cpuUsage(start)
      return user + system
    })
    return Math.max(Math.min(...rounds), 1)
  }
  const [small, large] = [cost(500), cost(16_000)]
  console.log(`0.5 MB in ${small} µs, 16 MB in ${large} µs of CPU`)
  expect(large / small).toBeLessThan(200) // 32 times the bytes; 1,024 times were it quadratic
})
