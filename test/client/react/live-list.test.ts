import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { LiveList } from '../../../packages/client/src/react/live-list.ts'
import type { FeedStatus } from '../../../packages/client/src/react/view.ts'
import { Statistics } from '../../kit/statistics.ts'

const STATUS: FeedStatus = { state: { status: 'live' }, error: undefined, gaps: [] }

interface Order {
  readonly id: string
  readonly n: number
}

const result = (order: Order | null) => ({ data: { orders: order } })

/** What the list is to be, from all events: of each id the last one, the newest first. */
function listOf(events: readonly Order[], max: number): Order[] {
  const last = events.filter(({ id }, i) => !events.slice(i + 1).some((later) => later.id === id))
  return last.reverse().slice(0, max)
}

test('the list is the latest event of each key, the newest first, at most as many as asked for', () => {
  const statistics = new Statistics('live lists', [
    'empty',
    'full',
    'an item came again',
    'an item came again after it was gone',
  ])
  const ids = fc.array(fc.nat(12).map(String), { maxLength: 60 })
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 15 }), (names, max) => {
      const events = names.map((id, n) => ({ id, n }))
      const list = new LiveList<Order>({ by: 'id', max })
      let before = list.snapshot(STATUS).items
      events.forEach((event, i) => {
        const isThere = before.some(({ id }) => id === event.id)
        if (isThere) statistics.count('an item came again')
        else if (names.slice(0, i).includes(event.id)) statistics.count('an item came again after it was gone')
        list.take(result(event))
        const { items } = list.snapshot(STATUS)
        expect(items).toEqual(listOf(events.slice(0, i + 1), max))
        // What was shown does not change.
        expect(before).toEqual(listOf(events.slice(0, i), max))
        before = items
      })
      if (events.length === 0) statistics.count('empty')
      if (before.length === max) statistics.count('full')
    }),
  )
  statistics.report()
})

test('a list that nothing came to is the same list', () => {
  const list = new LiveList<Order>({ by: 'id', max: 3 })
  list.take(result({ id: 'a', n: 1 }))
  const { items } = list.snapshot(STATUS)
  list.take(result(null))
  list.take({ data: null, errors: [{ message: 'failed' }] })
  list.take({})
  expect(list.snapshot({ ...STATUS, state: { status: 'replaying' } }).items).toBe(items)
})

test('items without the key are each an item, and one warning says what to select', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const list = new LiveList<Order>({ by: 'id', max: 5 })
  for (const n of [1, 2]) list.take({ data: { __typename: 'Subscription', orders: { n } } })
  expect(list.snapshot(STATUS).items).toEqual([{ n: 2 }, { n: 1 }])
  expect(warn.mock.calls).toEqual([['useLiveList: an item has no "id". Select it in the document']])
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a length of %s is refused', (max) => {
  expect(() => new LiveList({ by: 'id', max })).toThrow(RangeError)
})
