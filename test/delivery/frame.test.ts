import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bodyOf,
  COMMENT_BLOCK,
  COMPLETE_BLOCK,
  frameOf,
  idLine,
  openingBlock,
  positionBlock,
  retryBlock,
} from '../../src/delivery/frame.ts'

/** Reads an event stream as the WHATWG's standard says: its lines may end in any of three ways. */
function parse(stream: string): { events: { type: string; data: string; id: string }[]; retry: number | undefined } {
  const events = []
  let [type, data, id, retry] = ['', [] as string[], '', undefined as number | undefined]
  for (const line of stream.split(/\r\n|\n|\r/).slice(0, -1)) {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (line === '') {
      if (data.length > 0) events.push({ type: type || 'message', data: data.join('\n'), id })
      type = ''
      data = []
    } else if (name === 'event') type = value
    else if (name === 'data') data.push(value)
    else if (name === 'id') id = value
    else if (name === 'retry') retry = Number(value)
  }
  return { events, retry }
}

test('any result comes back from its frame, with its position, whatever text is in it', () => {
  const results = fc.record({
    data: fc.jsonValue(),
    text: fc.string({ unit: fc.constantFrom(...'\n\r\u2028\u2029\u0085\0:"\\ aé😀', '\ud800') }),
  })
  fc.assert(
    fc.property(results, fc.base64String({ minLength: 1 }), (result, cursor) => {
      const frame = frameOf(idLine(cursor), bodyOf(JSON.stringify(result)))
      const { events } = parse(frame.toString())
      expect(events).toEqual([{ type: 'next', data: JSON.stringify(result), id: cursor }])
    }),
  )
})

test('line breaks of every kind stay within their frame', () => {
  const result = { data: 'a\nb\rc\r\nd\u2028e\u2029f\u0085g\n\nevent: complete\ndata:\n\n' }
  const { events } = parse(frameOf(idLine('AQ'), bodyOf(JSON.stringify(result))).toString())
  expect(events).toHaveLength(1)
  expect(JSON.parse(events[0]?.data ?? '')).toEqual(result)
})

test('blocks without a result move the position, and are told as empty messages or not at all', () => {
  expect(parse(openingBlock(1234, 'AQ').toString())).toEqual({
    events: [{ type: 'message', data: '', id: 'AQ' }],
    retry: 1234,
  })
  expect(parse(positionBlock('AQ').toString()).events).toEqual([{ type: 'message', data: '', id: 'AQ' }])
  expect(parse(openingBlock(1, undefined).toString()).events).toEqual([{ type: 'message', data: '', id: '' }])
  expect(parse(retryBlock(77).toString())).toEqual({ events: [], retry: 77 })
  expect(parse(COMMENT_BLOCK.toString()).events).toEqual([])
  expect(parse(COMPLETE_BLOCK.toString()).events).toEqual([{ type: 'complete', data: '', id: '' }])
})

test('a frame is the id and the body, and changes neither', () => {
  const [id, body] = [idLine('AQ'), bodyOf('{}')]
  const frame = frameOf(id, body)
  frame.fill(0)
  expect([id.toString(), body.toString()]).toEqual(['id: AQ\n', 'event: next\ndata: {}\n\n'])
})
