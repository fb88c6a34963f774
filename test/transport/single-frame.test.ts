import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BY_ID,
  bodyOf,
  COMMENT_BLOCK,
  COMPLETE_BLOCK,
  caughtUpBlock,
  IN_EXTENSIONS,
  openingBlock,
  positionBlock,
  retryBlock,
} from '../../src/delivery/frame.ts'
import { Envelope } from '../../src/transport/single-frame.ts'

const wrap = (id: string, ...blocks: Buffer[]) => {
  const { bytes, complete } = new Envelope(id).wrap(Buffer.concat(blocks))
  return { text: bytes.toString(), complete }
}

test('a result gets its operation’s id around it, and loses its position', () => {
  const frame = BY_ID.frameOf('CURSOR', bodyOf('{"data":{"hello":"wörld"}}'))
  expect(wrap('1', frame)).toEqual({
    text: 'event: next\ndata: {"id":"1","payload":{"data":{"hello":"wörld"}}}\n\n',
    complete: false,
  })
})

test('the end of an operation names it', () => {
  const { text, complete } = wrap('1', COMPLETE_BLOCK)
  expect([text, complete]).toEqual(['event: complete\ndata: {"id":"1"}\n\n', true])
})

test('a position that was asked for in results stays in them', () => {
  expect(wrap('1', IN_EXTENSIONS.movedTo('CURSOR')).text).toBe(
    'event: next\ndata: {"id":"1","payload":{"extensions":{"cursor":"CURSOR"}}}\n\n',
  )
})

test('what belongs to a stream of one operation is left out', () => {
  const blocks = [openingBlock(1000, 'A'), positionBlock('B'), COMMENT_BLOCK, openingBlock(1000, undefined)]
  expect(wrap('1', ...blocks, retryBlock(5))).toEqual({ text: '', complete: false })
})

test('an id is whatever string it is', () => {
  for (const id of ['"', '\\', 'a\nb', '\u2028', 'é', '\ud800', '__proto__', 'event: complete']) {
    const { text } = wrap(id, bodyOf('{}'), COMPLETE_BLOCK)
    const [next, complete] = text.split('\n\n').map((block) => JSON.parse(block.split('\ndata: ')[1] || 'null'))
    expect([next, complete]).toEqual([{ id, payload: {} }, { id }])
  }
})

/** Each block of the engine's, and what is to be left of it. */
type Sample = readonly [string, Buffer, unknown]

const results = fc.record({ data: fc.jsonValue(), note: fc.string({ unit: 'binary' }) })
const sample: fc.Arbitrary<Sample> = fc.oneof(
  results.map((value): Sample => ['next with id', BY_ID.frameOf('C', bodyOf(JSON.stringify(value))), value]),
  results.map((value): Sample => ['next without id', bodyOf(JSON.stringify(value)), value]),
  fc.constant<Sample>(['position', positionBlock('C'), undefined]),
  fc.constant<Sample>(['opening', openingBlock(1234, 'C'), undefined]),
  fc.constant<Sample>(['comment', COMMENT_BLOCK, undefined]),
  fc.constant<Sample>(['caught up', caughtUpBlock('C'), { extensions: { caughtUp: true, cursor: 'C' } }]),
)

test('whatever the engine writes comes out as the same results, in the same order, in whole blocks', () => {
  const seen: Record<string, number> = {}
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 20 }), fc.string({ minLength: 1 }), fc.boolean(), (samples, id, ends) => {
      for (const [kind] of samples) seen[kind] = (seen[kind] ?? 0) + 1
      if (ends) seen.complete = (seen.complete ?? 0) + 1
      const blocks = samples.map(([, block]) => block)
      const { text, complete } = wrap(id, ...blocks, ...(ends ? [COMPLETE_BLOCK] : []))
      const expected = samples.map(([, , value]) => value).filter((value) => value !== undefined)
      expect(complete).toBe(ends)
      expect(text === '' || text.endsWith('\n\n')).toBe(true)
      const out = text.split('\n\n').slice(0, -1)
      const payloads = expected.map((payload) => `event: next\ndata: ${JSON.stringify({ id, payload })}`)
      expect(out).toEqual([...payloads, ...(ends ? [`event: complete\ndata: ${JSON.stringify({ id })}`] : [])])
    }),
    { numRuns: 500 },
  )
  console.log('Blocks seen:', JSON.stringify(seen))
})
