import { describe, expect, test, vi } from 'vitest'
import type { Gap, Result, SluiceClientOptions } from '../../../packages/client/src/index.ts'
import type { Listeners, OperationInfo } from '../../../packages/client/src/listeners.ts'
import { until } from '../../kit/until.ts'
import { DRIVERS, QUERIES, type Told } from './drivers.ts'
import { COUNT, HELLO, IDS, named, startWorld, type World, WRONG } from './world.ts'

const NAMES = ['urql', 'apollo', 'relay'] as const

async function start(
  name: (typeof NAMES)[number],
  listeners: Listeners = {},
  path = '',
  options: Partial<SluiceClientOptions> = {},
) {
  const world = await startWorld(path, options)
  return { ...world, driver: DRIVERS[name](world.client, listeners) }
}

const subscribed = ({ gateway }: World, count = 1) =>
  until(`${count} are subscribed`, () => gateway.engine.subscribers === count)

const have = (told: Told, count: number) => until(`${count} were told`, () => told.length >= count)

describe.each(NAMES)('%s', (name) => {
  test('has each event once, in order, over cuts', async () => {
    const world = await start(name)
    const told: Told = []
    world.driver.subscribe(IDS, told)
    await subscribed(world)
    const wanted: string[] = []
    for (let round = 0; round < 3; round++) {
      const before = named('a', round * 10, round * 10 + 5)
      await world.produce(...before)
      await have(told, wanted.push(...before))
      world.line.cut()
      const after = named('a', round * 10 + 5, round * 10 + 10)
      await world.produce(...after)
      await have(told, wanted.push(...after))
    }
    expect(told).toEqual(wanted)
  })

  test('tells a refused operation by its code, and ends', async () => {
    const world = await start(name)
    const told: Told = []
    world.driver.subscribe(WRONG, told)
    await until('it has ended', () => told.includes('end'))
    expect(told).toEqual(['error GRAPHQL_VALIDATION_FAILED', 'end'])
    expect(world.line.requests).toBe(1)
    expect(world.gateway.engine.subscribers).toBe(0)
  })

  test('tells a refused request by its code, and ends', async () => {
    const world = await start(name, {}, '/nope')
    const told: Told = []
    world.driver.subscribe(IDS, told)
    await until('it has ended', () => told.includes('end'))
    expect(told).toEqual(['error NOT_FOUND', 'end'])
    expect(world.line.requests).toBe(1)
  })

  test('ends with the operation, and delivers nothing for it', async () => {
    const world = await start(name)
    const told: Told = []
    world.driver.subscribe(COUNT, told)
    await have(told, 3)
    await until('the gateway has ended it', () => world.gateway.engine.subscribers === 0)
    // urql has no word for the end of a subscription but that nothing comes.
    await until('the end is told', () => name === 'urql' || told.includes('end'))
    expect(told.filter((each) => each !== 'end')).toEqual(['1', '2', '3'])
    expect(world.line.requests).toBe(1)
  })

  test('leaves nothing at the gateway when it is stopped', async () => {
    const world = await start(name)
    const told: Told = []
    const stops = [1, 2].map(() => world.driver.subscribe(IDS, told))
    // urql itself shares equal subscriptions.
    await subscribed(world, name === 'relay' ? 2 : 1)
    for (const stop of stops) stop()
    await subscribed(world, 0)
    await world.produce('a')
    expect(told).toEqual([])
  })

  test.each(['with a listener', 'without'] as const)('lives on behind a gap, which is told (%s)', async (how) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const gaps: [Gap, OperationInfo][] = []
    const onGap = (gap: Gap, operation: OperationInfo) => void gaps.push([gap, operation])
    const world = await start(name, how === 'without' ? {} : { onGap })
    const told: Told = []
    world.driver.subscribe(IDS, told)
    await subscribed(world)
    await world.produce('first')
    await have(told, 1)
    world.line.down()
    await subscribed(world, 0)
    await world.produce(...named('b', 0, 500))
    world.forget(400)
    world.line.up()
    await have(told, 102)
    await world.produce('last')
    await have(told, 103)
    expect(told).toEqual(['first', ...named('b', 399, 500), 'last'])
    const [call] = how === 'without' ? warn.mock.calls : gaps
    expect(call).toBeDefined()
    expect(JSON.stringify(call)).toContain('"from":1,"to":400,"reason":"retention"')
    expect(JSON.stringify(call)).toContain('Ids')
  })

  test('lives on behind an event that failed, which goes to its listener alone', async () => {
    const failed: [Result, OperationInfo][] = []
    const world = await start(name, { onEventError: (...call) => void failed.push(call) })
    const told: Told = []
    world.driver.subscribe(IDS, told)
    await subscribed(world)
    await world.produce('a', 'bad', 'b')
    await have(told, 2)
    expect(told).toEqual(['a', 'b'])
    expect(failed).toMatchObject([[{ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] }, { name: 'Ids' }]])
  })

  test('lives on behind an event that failed without a listener, too', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const world = await start(name)
    const told: Told = []
    world.driver.subscribe(IDS, told)
    await subscribed(world)
    await world.produce('a', 'bad', 'b', 'c')
    await until('the last came', () => told.includes('c'))
    // The error of one event is not that of those behind it.
    if (name === 'relay') expect(told).toEqual(['a', 'b', 'c'])
    else expect(told).toEqual(['a', 'error INTERNAL_SERVER_ERROR', 'b', 'c'])
    expect(warn).toHaveBeenCalledTimes(name === 'relay' ? 1 : 0)
  })

  test('does the same where one stream carries several subscriptions', async () => {
    const gaps: Gap[] = []
    const failed: Result[] = []
    const listeners: Listeners = {
      onGap: (gap) => void gaps.push(gap),
      onEventError: (result) => void failed.push(result),
    }
    const world = await start(name, listeners, '', { singleConnection: true })
    const [told, wrong, count]: Told[] = [[], [], []]
    world.driver.subscribe(WRONG, wrong!)
    world.driver.subscribe(COUNT, count!)
    const stop = world.driver.subscribe(IDS, told!)
    await until('one is refused', () => wrong!.includes('end'))
    expect(wrong).toEqual(['error GRAPHQL_VALIDATION_FAILED', 'end'])
    await until('one is complete', () => count!.includes('3'))
    await subscribed(world)
    await world.produce('a', 'bad', 'b')
    await have(told!, 2)
    world.line.down()
    await subscribed(world, 0)
    await world.produce(...named('c', 0, 500))
    world.forget(400)
    world.line.up()
    await have(told!, 105)
    expect(told).toEqual(['a', 'b', ...named('c', 397, 500)])
    expect(gaps).toMatchObject([{ gaps: [{ from: 3, to: 400 }] }])
    expect(failed).toHaveLength(1)
    stop()
    await subscribed(world, 0)
  })

  test('tells its state, and when all that was missed is there', async () => {
    const states: string[] = []
    let caughtUp = 0
    const world = await start(name, {
      onState: ({ status }, operation) => void states.push(`${operation.name} ${status}`),
      onCaughtUp: () => void caughtUp++,
    })
    const told: Told = []
    const stop = world.driver.subscribe(IDS, told)
    await until('it is live', () => states.at(-1) === 'Ids live')
    await world.produce('a')
    await have(told, 1)
    const before = caughtUp
    world.line.cut()
    await until('it has caught up', () => caughtUp > before)
    await until('it is live', () => states.at(-1) === 'Ids live')
    stop()
    for (const status of ['reconnecting', 'replaying', 'ended']) expect(states).toContain(`Ids ${status}`)
    expect(states.at(-1)).toBe('Ids ended')
    expect(told).toEqual(['a'])
  })

  test('tells of what cannot be sent as of a refusal', async () => {
    const { client, line } = await startWorld()
    const subscribe = () => {
      throw new TypeError('Do not know how to serialize a BigInt')
    }
    const told: Told = []
    DRIVERS[name]({ ...client, subscribe }, {}).subscribe(IDS, told)
    await until('it has ended', () => told.includes('end'))
    expect(told).toEqual(['error BAD_REQUEST', 'end'])
    expect(line.requests).toBe(0)
  })

  test('outlives listeners that throw', async () => {
    const report = vi.spyOn(console, 'error').mockImplementation(() => {})
    const fail = () => {
      throw new Error('a mistake of the page')
    }
    const world = await start(name, { onState: fail, onEventError: fail })
    const told: Told = []
    world.driver.subscribe(IDS, told)
    await subscribed(world)
    await world.produce('a', 'bad', 'b')
    await have(told, 2)
    expect(told).toEqual(['a', 'b'])
    expect(report).toHaveBeenCalledWith(new Error('a mistake of the page'))
    expect(world.line.requests).toBe(1)
  })

  test('answers queries', async () => {
    const { client } = await startWorld()
    expect(await QUERIES[name](client, HELLO)).toEqual({ hello: 'world' })
    if (name !== 'urql') expect(await QUERIES[name](client, 'query Fails { fails }')).toBe('INTERNAL_SERVER_ERROR')
  })
})
