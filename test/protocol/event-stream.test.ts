import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BY_ID,
  COMMENT_BLOCK,
  COMPLETE_BLOCK,
  FOR_EVENT_SOURCE,
  FOR_EVENT_SOURCE_IN_EXTENSIONS,
  IN_EXTENSIONS,
  openingBlock,
  resultBlock,
  retryBlock,
} from '../../src/protocol/event-stream.ts'
import { type Framing, frame } from '../../src/protocol/framing.ts'

const framed = (framing: Framing, cursor: string, json: string) =>
  frame(framing.results, Buffer.from(cursor), Buffer.from(json))

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
      const { events } = parse(framed(BY_ID, cursor, JSON.stringify(result)).toString())
      expect(events).toEqual([{ type: 'next', data: JSON.stringify(result), id: cursor }])
    }),
  )
})

test('line breaks of every kind stay within their frame', () => {
  const result = { data: 'a\nb\rc\r\nd\u2028e\u2029f\u0085g\n\nevent: complete\ndata:\n\n' }
  const { events } = parse(framed(BY_ID, 'AQ', JSON.stringify(result)).toString())
  expect(events).toHaveLength(1)
  expect(JSON.parse(events[0]?.data ?? '')).toEqual(result)
})

test('blocks without a result have no data: no reader takes them for a message', () => {
  expect(openingBlock(1234, 'AQ').toString()).toBe('retry: 1234\nid: AQ\n\n')
  expect(BY_ID.opening(1234, 'AQ')).toEqual(openingBlock(1234, 'AQ'))
  expect(BY_ID.heartbeat('AQ').toString()).toBe('id: AQ\n\n')
  expect(parse(openingBlock(1, undefined).toString())).toEqual({ events: [], retry: 1 })
  expect(parse(retryBlock(77).toString())).toEqual({ events: [], retry: 77 })
  expect(parse(COMMENT_BLOCK.toString()).events).toEqual([])
  expect(parse(COMPLETE_BLOCK.toString()).events).toEqual([{ type: 'complete', data: '', id: '' }])
})

test('to a browser they are empty messages, by which it moves its last event id', () => {
  for (const framing of [FOR_EVENT_SOURCE, FOR_EVENT_SOURCE_IN_EXTENSIONS]) {
    expect(parse(framing.opening(1234, 'AQ').toString())).toEqual({
      events: [{ type: 'message', data: '', id: 'AQ' }],
      retry: 1234,
    })
    expect(parse(framing.heartbeat('AQ').toString()).events).toEqual([{ type: 'message', data: '', id: 'AQ' }])
    expect(parse(framing.opening(1, undefined).toString()).events).toEqual([])
  }
})

test('results are the same bytes for a browser and for others, and made once for both', () => {
  expect(FOR_EVENT_SOURCE.results).toBe(BY_ID.results)
  expect(FOR_EVENT_SOURCE_IN_EXTENSIONS.results).toBe(IN_EXTENSIONS.results)
})

test('a frame is written at its place, and nowhere else', () => {
  for (const { results: framing } of [BY_ID, IN_EXTENSIONS]) {
    const [cursor, json] = [Buffer.from('AQ'), Buffer.from('{"data":1}')]
    const size = framing.sizeOf(cursor, json)
    const target = Buffer.alloc(size + 8, '.')
    expect(framing.write(target, 4, cursor, json)).toBe(4 + size)
    expect(target.toString()).toBe(`....${frame(framing, cursor, json)}....`)
  }
})

test('a result without a position has no id', () => {
  expect(resultBlock('{"data":1}').toString()).toBe('event: next\ndata: {"data":1}\n\n')
  expect(framed(IN_EXTENSIONS, '', '{"data":1}').toString()).toBe('event: next\ndata: {"data":1}\n\n')
})

test('a position in the extensions is added to any result', () => {
  fc.assert(
    fc.property(fc.record({ data: fc.jsonValue() }), fc.stringMatching(/^[A-Za-z0-9_-]{1,120}$/), (result, cursor) => {
      for (const framing of [BY_ID, IN_EXTENSIONS]) {
        const bytes = framed(framing, cursor, JSON.stringify(result))
        expect(bytes.length).toBe(framing.results.sizeOf(Buffer.from(cursor), Buffer.from(JSON.stringify(result))))
        const [event] = parse(bytes.toString()).events
        const extensions = framing === BY_ID ? {} : { extensions: { cursor } }
        expect([event?.id, JSON.parse(event?.data ?? '')]).toEqual([
          cursor,
          { ...JSON.parse(JSON.stringify(result)), ...extensions },
        ])
      }
    }),
  )
})

test('what moves a position alone, and what tells that the past is over, are read as such', () => {
  const [quiet, moved, caughtUp] = [BY_ID.moved('AQ'), IN_EXTENSIONS.moved('AQ'), BY_ID.caughtUp('AQ')].map(
    (block) => parse(block.toString()).events,
  )
  expect(quiet).toEqual([])
  expect(moved).toEqual([{ type: 'next', data: '{"extensions":{"cursor":"AQ"}}', id: 'AQ' }])
  expect(caughtUp).toEqual([{ type: 'next', data: '{"extensions":{"caughtUp":true,"cursor":"AQ"}}', id: 'AQ' }])
  expect(IN_EXTENSIONS.caughtUp('AQ')).toEqual(BY_ID.caughtUp('AQ'))
})

test('a heartbeat without a position is a comment', () => {
  expect(BY_ID.heartbeat(undefined)).toBe(COMMENT_BLOCK)
})
