import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Engine } from '../../../src/delivery/engine.ts'
import type { Group } from '../../../src/delivery/group/group.ts'
import { openStreamsOf, type StreamSources } from '../../../src/server/inspect/open-streams.ts'
import { LOOKS_PER_TURN } from '../../../src/server/inspect/pace.ts'
import { matcher } from '../../../src/server/inspect/query.ts'
import { Survey } from '../../../src/server/inspect/survey.ts'
import { Top } from '../../../src/server/inspect/top.ts'
import { Statistics } from '../../kit/statistics.ts'

const GROUPS = 20_000
const STREAMS = 10_000

/** What a survey sees of a group; each look at it is counted. */
function fakeGroup(number: number, members: number, onLook: () => void): Group {
  const owner = { identity: { principal: { id: `p_${number}` } }, address: '192.0.2.1', requestId: `r_${number}` }
  const state = { kind: 'lagging', fullSince: 1, cursor: '', restarts: [] }
  const member = { state, outlet: { owner, unsent: 10 }, events: 0, lagsAt: 0 }
  const group = {
    key: `key ${number}`,
    stream: { name: 'orders' },
    feed: { topic: { name: 'orders' }, window: { at: () => undefined } },
    operation: { hash: `hash ${number}`, name: `Operation${number}` },
    log: { next: 1, first: 0, bytes: number, at: () => undefined },
    size: members,
    hasSlow: members > 1,
    flushed: 0,
    sentBytes: 0,
    createdAt: 0,
    executionsBefore: 0,
    *[Symbol.iterator]() {
      for (let n = 0; n < members; n++) {
        onLook()
        yield member
      }
    },
    get renderer() {
      onLook()
      return { cost: { executions: 0, cpuMs: 0 }, args: { operation: {} } }
    },
  }
  return group as unknown as Group
}

/** Looks in each turn of the event loop, for as long as `work` takes: a turn ends where others get theirs. */
async function looksByTurn(work: (onLook: () => void) => Promise<unknown>): Promise<number[]> {
  const turns = [0]
  let isDone = false
  const next = (): void => {
    turns.push(0)
    if (!isDone) setImmediate(next)
  }
  setImmediate(next)
  await work(() => {
    turns[turns.length - 1] = (turns.at(-1) as number) + 1
  })
  isDone = true
  return turns
}

function engineOf(groups: readonly Group[]): Iterable<Group> & Pick<Engine, 'groups'> {
  return { groups: groups.length, [Symbol.iterator]: () => groups[Symbol.iterator]() }
}

test('20,000 groups and 10,000 streams are looked at in turns, each of them some hundred', async () => {
  let onLook = (): void => {}
  const look = () => onLook()
  // All streams are in some hundred groups, and slow.
  const groups = Array.from({ length: GROUPS }, (_, n) => fakeGroup(n, n < 100 ? STREAMS / 100 : 1, look))
  const survey = new Survey(engineOf(groups))
  let surveyed: Awaited<ReturnType<Survey['take']>> | undefined
  const turns = await looksByTurn(async (count) => {
    onLook = count
    surveyed = await survey.take({ groups: 20, matches: matcher('') })
  })
  const looked = GROUPS + STREAMS
  expect(surveyed?.cost).toMatchObject({ looked, turns: Math.floor(looked / LOOKS_PER_TURN) + 1 })
  expect(surveyed?.slow).toMatchObject({ count: STREAMS })
  expect(surveyed?.slow.members.length).toBe(100)
  // A group is looked at by its rates and its name.
  expect(Math.max(...turns)).toBeLessThanOrEqual(2 * LOOKS_PER_TURN + 2)
  expect(turns.filter((looks) => looks > 0).length).toBeGreaterThanOrEqual(looked / LOOKS_PER_TURN)
})

test('several who ask at once are answered one after the other, by a pass each', async () => {
  let running = 0
  let most = 0
  const groups = Array.from({ length: 2_000 }, (_, n) => fakeGroup(n, 1, () => {}))
  const engine = {
    groups: groups.length,
    *[Symbol.iterator]() {
      most = Math.max(most, ++running)
      yield* groups
      running--
    },
  }
  const survey = new Survey(engine)
  await Promise.all(Array.from({ length: 5 }, () => survey.take({ groups: 1, matches: matcher('') })))
  expect([most, running]).toEqual([1, 0])
})

test('the streams of one client are found in turns, too', async () => {
  const owner = (n: number) => ({
    identity: { principal: { id: 'a' } },
    requestId: `r_${n}`,
    address: '',
    operation: undefined,
  })
  let onLook = (): void => {}
  const streams = Array.from({ length: STREAMS }, (_, n) => ({
    get owner() {
      onLook()
      return owner(n)
    },
  }))
  let found: Awaited<ReturnType<typeof openStreamsOf>> | undefined
  const turns = await looksByTurn(async (count) => {
    onLook = count
    const sources = { sockets: streams, single: [] } as unknown as StreamSources
    found = await openStreamsOf(sources, ({ requestId }) => requestId === 'r_9999')
  })
  expect(found?.count).toBe(1)
  expect(Math.max(...turns)).toBeLessThanOrEqual(LOOKS_PER_TURN + 1)
})

test('the highest ranks are kept, in order, and equal ones as they came', () => {
  const statistics = new Statistics('Top', ['more than fit', 'equal ones', 'none is kept'])
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 8 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 }),
      (max, ranks) => {
        const top = new Top<number>(max)
        for (const [item, rank] of ranks.entries()) top.offer(item, rank)
        const sorted = [...ranks.keys()].sort((a, b) => (ranks[b] as number) - (ranks[a] as number) || a - b)
        expect(top.items).toEqual(sorted.slice(0, max))
        expect(top.count).toBe(ranks.length)
        statistics.count('more than fit', Number(ranks.length > max))
        statistics.count('equal ones', Number(new Set(ranks).size < ranks.length))
        statistics.count('none is kept', Number(max === 0))
      },
    ),
  )
  statistics.report()
})
