import { expect, test } from 'vitest'
import { createSink } from '../../../../src/streams/source/kafka/sink.ts'
import { SourceUnavailable } from '../../../../src/streams/source/port.ts'

/** A sink whose producers the test answers for. */
function sinkOf(answer: (topic: string, producer: number) => Promise<void>) {
  const said: string[] = []
  const closing = new AbortController()
  let producers = 0
  const sink = createSink(async () => {
    const own = ++producers
    said.push(`connect ${own}`)
    return {
      async send(topic) {
        said.push(`send ${topic} by ${own}`)
        await answer(topic, own)
        said.push(`sent ${topic}`)
      },
      end: async () => void said.push(`end ${own}`),
    }
  }, closing.signal)
  return { sink, said, close: () => closing.abort() }
}

test('nothing is connected before the first record, and then once', async () => {
  const { sink, said } = sinkOf(async () => {})
  expect(said).toEqual([])
  await sink.send('a', [])
  await sink.send('b', [])
  expect(said).toEqual(['connect 1', 'send a by 1', 'sent a', 'send b by 1', 'sent b'])
})

test('calls are sent one after another, in their order', async () => {
  const { sink, said } = sinkOf(() => new Promise((resolve) => setImmediate(resolve)))
  await Promise.all([sink.send('a', []), sink.send('b', []), sink.send('c', [])])
  const sends = ['send a by 1', 'sent a', 'send b by 1', 'sent b', 'send c by 1', 'sent c']
  expect(said).toEqual(['connect 1', ...sends])
})

test('a producer that has failed is never used again, and its failure is that of its own call only', async () => {
  const { sink, said } = sinkOf(async (_topic, producer) => {
    if (producer === 1) throw new SourceUnavailable('no broker')
  })
  const [a, b] = await Promise.allSettled([sink.send('a', []), sink.send('b', [])])
  expect([a.status, b.status]).toEqual(['rejected', 'fulfilled'])
  expect(said).toEqual(['connect 1', 'send a by 1', 'end 1', 'connect 2', 'send b by 2', 'sent b'])
})

test('a connection that is not made is tried again by the next call', async () => {
  let tries = 0
  const producer = { send: async () => {}, end: async () => {} }
  const sink = createSink(async () => {
    if (++tries === 1) throw new SourceUnavailable('no broker')
    return producer
  }, new AbortController().signal)
  await expect(sink.send('a', [])).rejects.toThrow(SourceUnavailable)
  await sink.send('a', [])
  expect(tries).toBe(2)
})

test('what waits for its turn when the connection is closed is refused', async () => {
  const sending = Promise.withResolvers<void>()
  const { sink, close } = sinkOf(() => sending.promise)
  const first = sink.send('a', [])
  const second = sink.send('b', [])
  close()
  sending.resolve()
  await first.catch(() => {}) // whether it was too late for it is a matter of luck
  await expect(second).rejects.toThrow('closed')
})
