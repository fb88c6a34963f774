import { Client, cacheExchange, createRequest, fetchExchange } from '@urql/core'
import { expect, test } from 'vitest'
import { sluiceExchange } from '../../../packages/client/src/urql.ts'
import { until } from '../../kit/until.ts'
import { HELLO, IDS, startWorld } from './world.ts'

async function start() {
  const world = await startWorld()
  const exchanges = [cacheExchange, sluiceExchange({ client: world.client }), fetchExchange]
  const preferGetMethod = false
  return { ...world, urql: new Client({ url: world.gateway.graphql, exchanges, preferGetMethod }) }
}

test('queries pass the exchange', async () => {
  const { urql } = await start()
  expect((await urql.query(HELLO, {}).toPromise()).data).toEqual({ hello: 'world' })
})

test('a subscription that is asked for again while it runs, by a component or an exchange, has each event once', async () => {
  const { urql, gateway, produce, line } = await start()
  const told: string[][] = [[], []]
  const subscribe = (mine: string[]) =>
    urql.subscription<{ ids: string }>(IDS, {}).subscribe(({ data }) => void mine.push(data?.ids ?? 'nothing'))
      .unsubscribe
  const stops = [subscribe(told[0]!)]
  await until('it is subscribed', () => gateway.engine.subscribers === 1)
  // As exchanges do, and then a component: urql lets the second one's request through.
  urql.reexecuteOperation(urql.createRequestOperation('subscription', createRequest(IDS, {})))
  stops.push(subscribe(told[1]!))
  await produce('a', 'b')
  await until('both have it', () => told.every((mine) => mine.length >= 2))
  stops[0]?.()
  await produce('c')
  await until('the other has it', () => told[1]?.includes('c') === true)
  expect(told).toEqual([
    ['a', 'b'],
    ['a', 'b', 'c'],
  ])
  expect(line.requests).toBe(1)
  stops[1]?.()
  await until('nothing is left', () => gateway.engine.subscribers === 0)
})

test('what has ended can be asked again', async () => {
  const { urql, gateway, produce } = await start()
  for (const id of ['a', 'b']) {
    const told: string[] = []
    const { unsubscribe } = urql
      .subscription<{ ids: string }>(IDS, {})
      .subscribe(({ data }) => void told.push(data?.ids ?? 'nothing'))
    await until('it is subscribed', () => gateway.engine.subscribers === 1)
    await produce(id)
    await until('it came', () => told.length === 1)
    expect(told).toEqual([id])
    unsubscribe()
    await until('it has ended', () => gateway.engine.subscribers === 0)
  }
})
