import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type ConnectionState,
  createSluiceClient,
  type Gap,
  type Observer,
  type Result,
  type SluiceClientOptions,
} from '../../packages/client/src/index.ts'
import { Body, COMPLETE, cannedFetch, OPENING, result } from './canned.ts'

const OPERATION = { query: 'subscription { n }' }
const GAP =
  'id: 7\nevent: next\ndata: {"errors":[{"message":"They are gone","extensions":{"topic":"orders","gaps":[{"partition":3,"from":4,"to":6,"reason":"retention"}],"code":"CURSOR_EXPIRED"}}],"data":null}\n\n'
const MARKER = 'id: 0\nevent: next\ndata: {"extensions":{"caughtUp":true,"cursor":"0"}}\n\n'
const FAILED = 'id: 3\nevent: next\ndata: {"errors":[{"message":"No customer","path":["n"]}],"data":null}\n\n'
const REFUSED = 'event: next\ndata: {"errors":[{"message":"No such field","extensions":{"code":"NO"}}]}\n\n'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A client whose requests are answered so, and what its subscription was told. */
function observe(
  answers: Parameters<typeof cannedFetch>,
  observer: (told: unknown[]) => Partial<Observer<unknown>> = () => ({}),
  options: Partial<SluiceClientOptions> = {},
) {
  const canned = cannedFetch(...answers)
  const client = createSluiceClient({ url: 'http://gateway.test/graphql', fetch: canned.fetch as never, ...options })
  onTestFinished(() => client.dispose())
  const told: unknown[] = []
  const subscription = client.subscribe<unknown, never>(OPERATION, {
    next: ({ data, errors }) => told.push(data ?? errors?.[0]?.message),
    error: ({ code }) => told.push(`refused: ${code}`),
    complete: () => told.push('complete'),
    ...observer(told),
  })
  return { client, subscription, told, ...canned }
}

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

describe('what goes to whom', () => {
  test('without callbacks of their own, gaps and failed events are results; markers and positions are none', async () => {
    const moved = 'id: 9\nevent: next\ndata: {"extensions":{"cursor":"9"}}\n\n'
    const { told, subscription } = observe([new Body(OPENING, MARKER, result(1), FAILED, GAP, 'id: 8\n\n', moved)])
    await settle()
    expect(told).toEqual([{ n: 1 }, 'No customer', 'They are gone'])
    expect(subscription.position).toBe('9')
  })

  test('with them they go there, and not to next', async () => {
    const gaps: Gap[] = []
    const failed: Result[] = []
    const { told, subscription } = observe([new Body(OPENING, MARKER, result(1), FAILED, GAP, COMPLETE)], (all) => ({
      onGap: (gap) => gaps.push(gap),
      onEventError: (event) => failed.push(event),
      onCaughtUp: () => all.push('caught up'),
    }))
    await settle()
    expect(told).toEqual(['caught up', { n: 1 }, 'complete'])
    expect(gaps).toMatchObject([
      { topic: 'orders', message: 'They are gone', gaps: [{ partition: 3, from: 4, to: 6, reason: 'retention' }] },
    ])
    expect(failed).toMatchObject([{ errors: [{ message: 'No customer' }], data: null }])
    expect(subscription.position).toBe('7')
  })

  test('an error beside data is a result', async () => {
    const partial = 'id: 3\nevent: next\ndata: {"errors":[{"message":"No customer"}],"data":{"n":null}}\n\n'
    const { told } = observe([new Body(OPENING, partial)], (all) => ({ onEventError: () => all.push('failed') }))
    await settle()
    expect(told).toEqual([{ n: null }])
  })

  test('an error without data and position is the reason of the end that follows, or a result if none does', async () => {
    const refused = observe([new Body(OPENING, REFUSED, COMPLETE)])
    await settle()
    expect(refused.told).toEqual(['refused: NO'])
    expect(refused.subscription.state).toMatchObject({ status: 'ended', why: 'refused', error: { code: 'NO' } })
    const survived = observe([new Body(OPENING, REFUSED, result(1))])
    await settle()
    expect(survived.told).toEqual(['No such field', { n: 1 }])
    const broken = observe([new Body(OPENING, REFUSED).end(), new Body(OPENING, result(1))])
    await settle()
    expect(broken.subscription.state).toMatchObject({ status: 'reconnecting', cause: { code: 'NO' } })
    await settle(10_000)
    expect(broken.told).toEqual([{ n: 1 }])
  })

  test('a refusal that no callback takes is reported', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
    observe([new Body(OPENING, REFUSED, COMPLETE)], () => ({ error: undefined as never }))
    await settle()
    expect(reported).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'NO' }))
  })
})

describe('a position', () => {
  test('is counted when its event has been handed on, and not before', async () => {
    const seen: string[] = []
    const body = new Body(OPENING)
    const { subscription } = observe([body], () => ({ next: () => void seen.push(subscription.position) }))
    await settle()
    body.write(result(1), result(2))
    await settle()
    expect(seen).toEqual(['0', '1'])
    expect(subscription.position).toBe('2')
  })

  test('is what the next attempt goes on behind, also where its last event was cut off', async () => {
    const cut = new Body(OPENING, result(1), result(2).slice(0, -1)).end()
    const { told, lastEventIds } = observe([cut, new Body(OPENING, result(2))])
    await settle(10_000)
    expect(told).toEqual([{ n: 1 }, { n: 2 }])
    expect(lastEventIds).toEqual([null, '1'])
  })

  test('is that of an event whose callback threw, which is reported; nothing ends', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { told, subscription } = observe([new Body(OPENING, result(1), result(2))], (all) => ({
      next: ({ data }) => {
        all.push(data)
        throw new Error('A mistake of the page')
      },
    }))
    await settle()
    expect(told).toEqual([{ n: 1 }, { n: 2 }])
    expect(subscription.position).toBe('2')
    expect(reported).toHaveBeenCalledTimes(2)
  })
})

describe('a state', () => {
  const statesOf = async (answers: Parameters<typeof cannedFetch>, ms: number) => {
    const states: ConnectionState[] = []
    observe(answers, () => ({ onState: (state) => states.push(state) }))
    await settle(ms)
    return states
  }

  test('is live with the first block, replaying behind a position until the marker, and reconnecting since the break', async () => {
    const start = Date.now()
    const states = await statesOf(
      [new Body(OPENING, MARKER).end(), new TypeError('fetch failed'), new Body(OPENING, result(1), MARKER)],
      20_000,
    )
    expect(states).toEqual([
      { status: 'live' },
      { status: 'reconnecting', since: start, attempt: 1 },
      { status: 'reconnecting', since: start, attempt: 2, cause: new TypeError('fetch failed') },
      { status: 'replaying' },
      { status: 'live' },
    ])
  })

  test('is reconnecting when a stream is silent, and says so', async () => {
    const body = new Body(OPENING)
    const states = await statesOf([body, new Body(OPENING, MARKER)], 44_000)
    expect(states.map(({ status }) => status)).toEqual(['live', 'reconnecting', 'replaying', 'live'])
    expect(states[1]).toMatchObject({ cause: { code: 'STREAM_SILENT' } })
    expect(body.cancelled).toBeDefined()
  })

  test('is ended with the last callback, whatever comes later', async () => {
    const body = new Body(OPENING, result(1), result(2))
    const { told, subscription } = observe([body], (all) => ({
      next: ({ data }) => {
        all.push(data)
        subscription.unsubscribe()
        subscription.unsubscribe()
      },
      onState: ({ status }) => all.push(status),
    }))
    await settle()
    expect(told).toEqual(['live', { n: 1 }, 'ended'])
    expect(subscription.state).toEqual({ status: 'ended', why: 'stopped' })
    expect(subscription.position).toBe('1')
    expect(body.cancelled).toBeDefined()
  })

  test('is reconnecting after a cut, and nothing is missing', async () => {
    const first = new Body(OPENING, result(1))
    const { told, subscription, lastEventIds } = observe([first, new Body(OPENING, result(2), MARKER)])
    await settle()
    subscription.cut()
    await settle(10_000)
    expect(told).toEqual([{ n: 1 }, { n: 2 }])
    expect(lastEventIds).toEqual([null, '1'])
    expect(subscription.state).toEqual({ status: 'live' })
  })
})

describe('a page that wakes up', () => {
  /** Listeners by event, as a document and a window have them. */
  function pretendPage() {
    const listeners = new Map<string, Set<() => void>>()
    const target = {
      addEventListener: (event: string, listener: () => void) => {
        listeners.set(event, (listeners.get(event) ?? new Set()).add(listener))
      },
      removeEventListener: (event: string, listener: () => void) => void listeners.get(event)?.delete(listener),
    }
    vi.stubGlobal('document', target)
    vi.stubGlobal('addEventListener', target.addEventListener)
    vi.stubGlobal('removeEventListener', target.removeEventListener)
    onTestFinished(() => void vi.unstubAllGlobals())
    return {
      tell: (event: string) => {
        for (const listener of listeners.get(event) ?? []) listener()
      },
      count: () => [...listeners.values()].reduce((sum, each) => sum + each.size, 0),
    }
  }

  test.each(['visibilitychange', 'pageshow', 'online'])(
    'finds at once that its stream is dead, at %s',
    async (event) => {
      const page = pretendPage()
      const { subscription } = observe([new Body(OPENING), new Body(OPENING, MARKER)])
      await settle()
      page.tell(event)
      await settle()
      expect(subscription.state.status).toBe('live')
      // The clock goes on while the page sleeps, and its timers do not.
      vi.setSystemTime(Date.now() + 3_600_000)
      page.tell(event)
      await settle()
      expect(subscription.state).toMatchObject({ status: 'reconnecting', cause: { code: 'STREAM_SILENT' } })
      vi.setSystemTime(Date.now() + 3_600_000)
      page.tell(event)
      await settle()
      expect(subscription.state.status).toBe('live')
    },
  )

  test('goes back to the gateway when it is online again, but not before the gateway wants it', async () => {
    const page = pretendPage()
    const busy = () => new Response('', { status: 503, headers: { 'retry-after': '100' } })
    const offline = observe([new TypeError('fetch failed')], undefined, { baseWaitMs: 1_000_000, maxWaitMs: 1_000_000 })
    const refused = observe([busy])
    await settle()
    expect([offline.signals.length, refused.signals.length]).toEqual([1, 1])
    page.tell('online')
    await settle()
    expect([offline.signals.length, refused.signals.length]).toEqual([2, 1])
    page.tell('visibilitychange')
    await settle(1_000)
    expect([offline.signals.length, refused.signals.length]).toEqual([2, 1])
  })

  test('is listened to only while there are subscriptions', async () => {
    const page = pretendPage()
    const { subscription, client } = observe([() => new Body(OPENING)])
    const second = client.subscribe(OPERATION, { next() {} })
    await settle()
    expect(page.count()).toBe(4)
    subscription.unsubscribe()
    expect(page.count()).toBe(4)
    second.unsubscribe()
    expect(page.count()).toBe(0)
  })
})
