import { describe, expect, test } from 'vitest'
import { isTold, lastBlocks, type ToldReason } from '../../../src/delivery/group/ending.ts'
import { CLOSE_REASONS } from '../../../src/delivery/outlet.ts'
import { BY_ID, IN_EXTENSIONS } from '../../../src/protocol/event-stream.ts'
import { OperationFraming } from '../../../src/protocol/single-connection.ts'
import { decodeCursor } from '../../../src/streams/cursor/cursor.ts'
import { parseBlock } from '../../kit/blocks.ts'
import { FakeOutlet, settle, startEngine } from '../../kit/engine.ts'

const ALL = 'subscription { paint { n } }'
const CODES: Record<ToldReason, string> = {
  expired: 'SESSION_EXPIRED',
  revoked: 'REVOKED',
  blocked: 'OPERATION_BLOCKED',
}
const REASONS = Object.entries(CODES) as [ToldReason, string][]
/** A `retry:` of a client that comes back at once, and of one that is not to. */
const SOON_MS = 1_250
const LATE_MS = 60_000

const blocksOf = (bytes: Buffer) => bytes.toString().split('\n\n').slice(0, -1).map(parseBlock)

test('three of all reasons are told by a result', () => {
  expect(CLOSE_REASONS.filter(isTold)).toEqual(REASONS.map(([reason]) => reason))
})

describe.each(REASONS)('a stream that ends as %s', (reason, code) => {
  const isFinal = reason !== 'expired'

  test.each([
    ['by id', BY_ID],
    ['with cursors in extensions', IN_EXTENSIONS],
  ])('is told so by a result without a position, %s', (_name, framing) => {
    const blocks = blocksOf(lastBlocks(framing, reason))
    const results = blocks.filter(({ event }) => event === 'next')
    expect(results.map(({ data }) => JSON.parse(data ?? ''))).toEqual([
      { errors: [{ message: expect.any(String), extensions: { code } }] },
    ])
    expect(blocks.map(({ id }) => id)).toEqual(blocks.map(() => undefined))
    expect(blocks.filter(({ event }) => event === 'complete')).toHaveLength(isFinal ? 1 : 0)
    const [{ retry } = {}] = blocks.filter((block) => block.retry !== undefined)
    if (isFinal) expect(Number(retry)).toBeGreaterThanOrEqual(LATE_MS)
    else expect(Number(retry)).toBeLessThanOrEqual(SOON_MS)
    // What comes after `complete` is nobody's.
    expect(blocks.at(-1)?.event).toBe(isFinal ? 'complete' : undefined)
  })

  test('in single connection mode, is told so within its envelope, and the stream hears of no delay', () => {
    const blocks = blocksOf(lastBlocks(new OperationFraming('a"b', true), reason))
    expect(blocks.map(({ event, data }) => [event, JSON.parse(data ?? '')])).toEqual([
      ['next', { id: 'a"b', payload: { errors: [{ message: expect.any(String), extensions: { code } }] } }],
      ...(isFinal ? [['complete', { id: 'a"b' }]] : []),
    ])
  })

  describe('whatever its member does', () => {
    const lives: Record<string, (of: ReturnType<typeof startEngine>) => Promise<FakeOutlet>> = {
      live: async ({ open, paint }) => {
        const { outlet } = open(ALL)
        paint(1, 2)
        await settle()
        return outlet
      },
      'live, with frames that are not flushed yet': async ({ open, paint }) => {
        const { outlet } = open(ALL)
        paint(1)
        await settle()
        paint(2)
        return outlet
      },
      lagging: async ({ open, paint }) => {
        const { outlet } = open(ALL)
        outlet.full = true
        paint(1)
        await settle()
        paint(2)
        await settle()
        return outlet
      },
      replaying: async ({ open, paint }) => {
        const first = open(ALL)
        const [{ id: start = '' } = {}] = first.outlet.blocks
        paint(1, 2)
        await settle()
        const outlet = new FakeOutlet()
        outlet.full = true
        open(ALL, { outlet }, { start: { after: start } })
        await settle()
        return outlet
      },
    }
    test.each(Object.entries(lives))(
      '%s: it is told after whole frames, and comes back by its cursor',
      async (_state, live) => {
        const engine = startEngine()
        const { open } = engine
        const outlet = await live(engine)
        const { listener } = outlet
        listener?.end(reason)
        await settle()
        expect(outlet.end_).toBe('ended')
        expect(outlet.told.at(-1)).toBe(code)
        expect(engine.engine.stats.closes).toEqual({ [reason]: 1 })
        const cursor = outlet.blocks.findLast(({ id }) => id !== undefined)?.id as string
        expect(decodeCursor('paints', cursor).positions).toHaveLength(1)
        // Nothing is lost, and nothing is told twice.
        const again = open(ALL, {}, { start: { after: cursor } })
        await settle()
        const told = [...outlet.told.filter((n) => typeof n === 'number'), ...again.outlet.told]
        expect(told).toEqual([1, 2])
        // An ended outlet is let alone, whatever comes.
        engine.paint(3)
        listener?.drained()
        await settle()
        expect(outlet.told.at(-1)).toBe(code)
      },
    )
  })
})
