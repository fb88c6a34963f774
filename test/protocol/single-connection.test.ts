import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frame, NO_CURSOR } from '../../src/protocol/framing.ts'
import { OperationFraming } from '../../src/protocol/single-connection.ts'

const CURSOR = Buffer.from('CURSOR')
const framed = (framing: OperationFraming, cursor: Buffer, json: string) =>
  frame(framing, cursor, Buffer.from(json)).toString()

test('a result gets its operation’s id around it, and loses its position', () => {
  expect(framed(new OperationFraming('1', false), CURSOR, '{"data":{"hello":"wörld"}}')).toBe(
    'event: next\ndata: {"id":"1","payload":{"data":{"hello":"wörld"}}}\n\n',
  )
})

test('the end of an operation names it', () => {
  expect(new OperationFraming('1', false).complete.toString()).toBe('event: complete\ndata: {"id":"1"}\n\n')
})

test('a position that was asked for comes in the extensions', () => {
  const framing = new OperationFraming('1', true)
  expect(framed(framing, CURSOR, '{"data":1}')).toBe(
    'event: next\ndata: {"id":"1","payload":{"data":1,"extensions":{"cursor":"CURSOR"}}}\n\n',
  )
  expect(framing.moved('CURSOR').toString()).toBe(
    'event: next\ndata: {"id":"1","payload":{"extensions":{"cursor":"CURSOR"}}}\n\n',
  )
  expect(framing.caughtUp('CURSOR').toString()).toContain(
    '"payload":{"extensions":{"caughtUp":true,"cursor":"CURSOR"}}',
  )
})

test('what belongs to a stream of one operation is left out', () => {
  const framing = new OperationFraming('1', false)
  const blocks = [framing.opening(), framing.moved('B'), framing.heartbeat(), framing.retry()]
  expect(Buffer.concat(blocks)).toHaveLength(0)
})

const results = fc.record({ data: fc.jsonValue(), note: fc.string({ unit: 'binary' }) })
const ids = fc.oneof(
  fc.string({ minLength: 1, unit: 'binary' }),
  fc.constantFrom('"', '\\', 'a\nb', '\u2028', 'é', '\ud800', '__proto__', 'event: complete'),
)

test('any result of any operation comes back from its frame, which is one whole block of the size that was said', () => {
  const seen = { 'with a position': 0, 'without a position': 0, 'position not wanted': 0 }
  fc.assert(
    fc.property(results, ids, fc.boolean(), fc.boolean(), (payload, id, hasCursors, hasCursor) => {
      seen[!hasCursor ? 'without a position' : hasCursors ? 'with a position' : 'position not wanted']++
      const framing = new OperationFraming(id, hasCursors)
      const json = Buffer.from(JSON.stringify(payload))
      const cursor = hasCursor ? CURSOR : NO_CURSOR
      const bytes = frame(framing, cursor, json)
      expect(bytes.length).toBe(framing.sizeOf(cursor, json))
      const [block, end] = bytes.toString().split('\n\n')
      const [event, data = ''] = block?.split('\ndata: ') ?? []
      expect([event, end]).toEqual(['event: next', ''])
      const extensions = hasCursors && hasCursor ? { extensions: { cursor: 'CURSOR' } } : {}
      expect(JSON.parse(data)).toEqual(JSON.parse(JSON.stringify({ id, payload: { ...payload, ...extensions } })))
    }),
    { numRuns: 500 },
  )
  console.log('Frames seen:', JSON.stringify(seen))
})
