import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConnectionLimit } from '../../src/server/connection-limit.ts'

interface Connection {
  readonly id: number
  readonly source: string | undefined
  state: 'unused' | 'kept' | 'arriving' | 'answering'
}

/** What happens: a connection comes from a source, or the next thing happens to one of those that are there. */
const steps = fc.array(
  fc.record({
    what: fc.constantFrom(
      'connect',
      'connect',
      'connect',
      'ask',
      'ask',
      'ask',
      'arrive',
      'arrive',
      'answer',
      'stream',
      'leave',
    ),
    which: fc.nat(1_000),
    source: fc.constantFrom('a', 'a', 'a', 'b', 'c', undefined),
  }),
  { maxLength: 120, size: 'max' },
)

test('the limits hold, the longest waiting of the right kind is ended, and nobody who is answered or is a stream', () => {
  const seen = { limitIdle: 0, limitNew: 0, addressIdle: 0, addressNew: 0, unused: 0, kept: 0, arriving: 0, streams: 0 }
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 6 }), steps, (max, perSource, script) => {
      const limit = new ConnectionLimit<Connection>({
        max,
        maxPerSource: perSource,
        sourceOf: (connection) => connection.source,
        isArriving: ({ state }) => state === 'arriving',
      })
      /** Of each state, in the order in which they came to it. */
      let model: Connection[] = []
      let ended = 0
      const set = (connection: Connection, state: Connection['state']) => {
        connection.state = state
        model = [...model.filter((each) => each !== connection), connection]
      }
      for (const [id, { what, which, source }] of script.entries()) {
        const one = model[which % Math.max(1, model.length)]
        if (what === 'connect') {
          const connection: Connection = { id, source, state: 'unused' }
          const ofSource = model.filter((each) => source !== undefined && each.source === source)
          const overSource = ofSource.length >= perSource
          const among = overSource ? ofSource : model
          const isOver = overSource || model.length >= max
          const idle =
            among.find(({ state }) => state === 'unused' || state === 'kept') ??
            among.find(({ state }) => state === 'arriving')
          const expected = isOver ? (idle ?? connection) : undefined
          expect(limit.add(connection)).toBe(expected)
          if (isOver) {
            ended++
            seen[`${overSource ? 'address' : 'limit'}${idle ? 'Idle' : 'New'}`]++
            if (idle) seen[idle.state as 'unused']++
          }
          model = model.filter((each) => each !== expected)
          if (expected !== connection) model.push(connection)
        } else if (!one) continue
        else if (what === 'ask' && (one.state === 'unused' || one.state === 'kept')) {
          limit.asked(one)
          set(one, 'arriving')
        } else if (what === 'arrive' && one.state === 'arriving') one.state = 'answering'
        else if (what === 'answer' && (one.state === 'arriving' || one.state === 'answering')) {
          limit.answered(one)
          set(one, 'kept')
        } else if (what === 'stream' || what === 'leave') {
          if (what === 'stream') seen.streams++
          limit.remove(one)
          model = model.filter((each) => each !== one)
        }
        expect(limit.size).toBe(model.length)
        expect(limit.size).toBeLessThanOrEqual(max)
      }
      const { address, limit: all } = limit.ended
      expect(address.new + address.idle + all.new + all.idle).toBe(ended)
      expect(new Set(limit.kept())).toEqual(new Set(model.filter(({ state }) => state === 'kept')))
    }),
    { numRuns: 2_000 },
  )
  console.log(seen)
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50)
})

test('a connection with two requests is ended for none that comes, though its second request does not arrive', () => {
  const limit = new ConnectionLimit<{ name: string }>({
    max: 1,
    maxPerSource: 1,
    sourceOf: () => 'a',
    isArriving: () => true,
  })
  const first = { name: 'first' }
  const second = { name: 'second' }
  limit.add(first)
  limit.asked(first)
  limit.asked(first)
  expect(limit.add(second)).toBe(second)
  limit.answered(first)
  limit.answered(first)
  expect(limit.add(second)).toBe(first)
})
