import fc from 'fast-check'
import { type DocumentNode, parse } from 'graphql'
import { expect, test } from 'vitest'
import { HeldOperations } from '../../../src/delivery/operation/held-operations.ts'
import { startTestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { until } from '../../kit/until.ts'

test('what is used is the sum of what its owners hold, each document counted once', () => {
  const documents = Array.from({ length: 4 }, (_, i): [DocumentNode, number] => [parse(`{ a${i} }`), 10 ** (i + 2)])
  const step = fc.record({ owner: fc.nat(9), bytes: fc.nat(99), document: fc.option(fc.nat(3)), release: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = new HeldOperations(1e9)
      const owners = Array.from({ length: 10 }, () => ({}))
      const model = new Map<number, { bytes: number; document: number | null }>()
      for (const { owner, bytes, document, release } of steps) {
        if (release) {
          held.release(owners[owner] as object)
          model.delete(owner)
        } else if (!model.has(owner)) {
          const [node, size] = document === null ? [undefined, 0] : (documents[document] as [DocumentNode, number])
          held.hold(owners[owner] as object, bytes, node, size)
          model.set(owner, { bytes, document })
        }
        const used = new Set([...model.values()].flatMap((each) => each.document ?? []))
        const ofDocuments = [...used].reduce((sum, each) => sum + (documents[each] as [DocumentNode, number])[1], 0)
        expect(held.used).toBe([...model.values()].reduce((sum, each) => sum + each.bytes, ofDocuments))
      }
    }),
  )
})

/** Large documents, each different. */
const query = (i: number, field = 'ordersByRegion(region: EUROPE)') =>
  `subscription { o${i}: ${field} { ${Array.from({ length: 500 }, (_, k) => `a${k}x${i}: id`).join(' ')} } }`
const LIMIT = 4 * 1024 * 1024

test('open subscriptions hold no more of documents than they may, and more are refused until some end', async () => {
  const gateway = await startTestGateway()
  Object.assign(gateway.engine.held, { limit: LIMIT })
  const open: RawStream[] = []
  let last: RawStream
  for (let i = 0; ; i++) {
    last = await RawStream.subscribe(gateway.graphql, query(i))
    if (last.status !== 200) break
    open.push(last)
    expect(gateway.engine.held.used).toBeLessThanOrEqual(LIMIT)
  }
  await last.untilWhole()
  expect([last.status, last.json.errors[0].extensions.code]).toEqual([503, 'TOO_MANY_STREAMS'])
  expect(open.length).toBeGreaterThan(5)
  // Who asks what somebody asks already takes no more, and those that are open go on.
  expect((await RawStream.subscribe(gateway.graphql, query(0))).status).toBe(200)
  await gateway.produce({ id: 'later' })
  await open[0]?.untilResults(1)

  // A group that waits for members to come back makes room.
  await open[1]?.close()
  await until('its group waits', async () => (await gateway.metric('sluice_subscribers')) === open.length)
  expect((await RawStream.subscribe(gateway.graphql, query(1_000))).status).toBe(200)
  expect(await gateway.metric('sluice_groups')).toBe(open.length)
})

test('a client that comes and goes with ever other documents is served: groups that wait make room', async () => {
  const gateway = await startTestGateway()
  Object.assign(gateway.engine.held, { limit: LIMIT })
  for (let i = 0; i < 40; i++) {
    const stream = await RawStream.subscribe(gateway.graphql, query(i))
    expect(stream.status).toBe(200)
    await stream.close()
    await until('its member has left', async () => (await gateway.metric('sluice_subscribers')) === 0)
  }
  expect(gateway.engine.held.used).toBeLessThanOrEqual(LIMIT)
})
