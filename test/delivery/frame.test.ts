import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BY_ID,
  bodyOf,
  COMMENT_BLOCK,
  COMPLETE_BLOCK,
  caughtUpBlock,
  cursorOf,
  IN_EXTENSIONS,
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
      const frame = BY_ID.frameOf(cursor, bodyOf(JSON.stringify(result)))
      const { events } = parse(frame.toString())
      expect(events).toEqual([{ type: 'next', data: JSON.stringify(result), id: cursor }])
    }),
  )
})

test('line breaks of every kind stay within their frame', () => {
  const result = { data: 'a\nb\rc\r\nd\u2028e\u2029f\u0085g\n\nevent: complete\ndata:\n\n' }
  const { events } = parse(BY_ID.frameOf('AQ', bodyOf(JSON.stringify(result))).toString())
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
  const body = bodyOf('{}')
  const [first, second] = [BY_ID.frameOf('AQ', body), BY_ID.frameOf('AQ', body)]
  first.fill(0)
  expect([second.toString(), body.toString()]).toEqual([
    'id: AQ\nevent: next\ndata: {}\n\n',
    'event: next\ndata: {}\n\n',
  ])
})

test('a position in the extensions is added to any result, and both come back from the frame', () => {
  fc.assert(
    fc.property(fc.record({ data: fc.jsonValue() }), fc.stringMatching(/^[A-Za-z0-9_-]{1,120}$/), (result, cursor) => {
      const body = bodyOf(JSON.stringify(result))
      for (const style of [BY_ID, IN_EXTENSIONS]) {
        const frame = style.frameOf(cursor, body)
        const [event] = parse(frame.toString()).events
        const extensions = style === BY_ID ? {} : { extensions: { cursor } }
        expect([event?.id, JSON.parse(event?.data ?? '')]).toEqual([
          cursor,
          { ...JSON.parse(JSON.stringify(result)), ...extensions },
        ])
        expect(cursorOf(frame)).toBe(cursor)
        expect(style.bodyOf(frame).equals(body)).toBe(true)
      }
    }),
  )
})

test('what moves a position alone, and what tells that the past is over, are read as such', () => {
  const [quiet, moved, caughtUp] = [BY_ID.movedTo('AQ'), IN_EXTENSIONS.movedTo('AQ'), caughtUpBlock('AQ')].map(
    (block) => parse(block.toString()).events,
  )
  expect(quiet).toEqual([{ type: 'message', data: '', id: 'AQ' }])
  expect(moved).toEqual([{ type: 'next', data: '{"extensions":{"cursor":"AQ"}}', id: 'AQ' }])
  expect(caughtUp).toEqual([{ type: 'next', data: '{"extensions":{"caughtUp":true,"cursor":"AQ"}}', id: 'AQ' }])
})
