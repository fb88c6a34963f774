import { expect, test } from 'vitest'
import type { Audience, Context } from '../../../src/schema/context.ts'
import { streamsFor } from '../../../src/schema/rights/bound-streams.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { batchOf, Paint, paintFeed, paints, recordOf } from '../../kit/feeds.ts'

const RED: Audience = { claims: { bounds: { color: ['red'] } } }
const unlike = defineTopic('unlike', { schema: Paint, index: ['size'] })

/** What a resolver of an audience gets, over a feed with a red and a blue paint of each number. */
function start(audience: Audience, ages: readonly number[] = [0, 0, 0]) {
  const feed = paintFeed()
  const all = { feed: () => feed, feeds: [feed] } as unknown as Context['streams']
  const paint = (color: string, n: number, age = 0) =>
    void feed.onBatch(
      batchOf(0, [{ ...recordOf(0, Number(feed.head[0]), { n, color, size: 's' }), timestamp: Date.now() - age }]),
    )
  for (const [n, age] of ages.entries()) {
    paint('red', n, age)
    paint('blue', n, age)
  }
  return { all, feed, paint, streams: streamsFor(all, audience) }
}

const shown = ({ value: { color, n } }: { value: Paint }) => `${color}${n}`

test('whatever a resolver asks for, it gets what is within the bounds', async () => {
  const { streams, paint } = start(RED)
  const events = streams.feed(paints)
  const matched: string[] = []
  const matches = (event: { value: Paint }) => {
    matched.push(shown(event))
    return true
  }
  expect((await events.newest(10, matches)).map(shown)).toEqual(['red0', 'red1', 'red2'])
  expect((await events.newest(10, matches, { size: 's' })).map(shown)).toEqual(['red0', 'red1', 'red2'])
  const from = await events.findLast(2, matches)
  const stream = events.subscribe({ from })
  const live = events.subscribe({ where: { n: { gte: 0 } }, filter: (value) => matches({ value }) })
  paint('blue', 7)
  paint('red', 7)
  const told: string[] = []
  for (let count = 0; count < 3; count++) told.push(shown((await stream.next()).value as never))
  expect(told).toEqual(['red1', 'red2', 'red7'])
  expect(shown((await live.next()).value as never)).toBe('red7')
  // Not even its own predicate sees what is outside.
  expect(matched.filter((each) => each.startsWith('blue'))).toEqual([])
})

test('a resolver that names what is outside is refused, and so is a topic that cannot be told apart', () => {
  const { streams } = start(RED)
  expect(() => streams.feed(paints).newest(1, () => true, { color: 'blue' })).toThrow(
    /"color" asks for a value outside/,
  )
  expect(() => streams.feed(unlike)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }))
  expect(() => streams.feeds).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }))
})

test('a resolver of who may read so far back gets nothing older', async () => {
  const { feed, streams } = start({ claims: { historyMs: 60_000 } }, [120_000, 30_000, 0])
  const events = streams.feed(paints)
  expect((await events.newest(10, () => true)).map(shown)).toEqual(['red1', 'blue1', 'red2', 'blue2'])
  const stream = events.subscribe({ from: events.startAfter(feed.cursorAt([0])), where: { color: 'red' } })
  expect(shown((await stream.next()).value as never)).toBe('red1')
  expect(() => streams.feeds).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }))
  await stream.return?.()
})

test('who may read all gets the streams themselves', () => {
  const { all } = start({ claims: {} })
  expect(streamsFor(all, { claims: { scopes: ['a'] } })).toBe(all)
})
