import { expect, test } from 'vitest'
import { PublishQueue } from '../../../src/streams/publish/publish-queue.ts'
import { type OutgoingRecord, type Sink, SourceUnavailable } from '../../../src/streams/source/port.ts'

const record = (n: number): OutgoingRecord => ({ key: 'k', value: String(n) })

/** A sink whose sends the test settles, with the values of each. */
function heldSink() {
  const sends: { readonly values: string[]; settle(error?: unknown): void }[] = []
  const sink: Sink = {
    send: (_topic, records) =>
      new Promise((resolve, reject) => {
        sends.push({
          values: records.map(({ value }) => String(value)),
          settle: (error) => (error === undefined ? resolve() : reject(error)),
        })
      }),
    close: async () => {},
  }
  return { sink, sends }
}

/** Sends under way and the microtasks behind them are done. */
const turn = () => new Promise((resolve) => setImmediate(resolve))
const codeOf = (done: Promise<void>) =>
  done.then(
    () => 'done',
    (error) => error.code ?? error,
  )

test('what comes while a send is under way goes out together in the next one, in order', async () => {
  const { sink, sends } = heldSink()
  const queue = new PublishQueue(sink)
  const all = Array.from({ length: 5 }, (_, n) => queue.send('t', record(n), 10))
  expect(queue.pending).toBe(5)
  sends[0]?.settle()
  await turn()
  sends[1]?.settle()
  await Promise.all(all.map(({ done }) => done))
  expect(sends.map(({ values }) => values)).toEqual([['0'], ['1', '2', '3', '4']])
  expect(queue.pending).toBe(0)
})

test('a large record is alone in its send, so that others are not in doubt with it', async () => {
  const { sink, sends } = heldSink()
  const queue = new PublishQueue(sink)
  const sizes = [10, 10, 5_000, 10, 10]
  const all = sizes.map((bytes, n) => codeOf(queue.send('t', record(n), bytes).done))
  for (let at = 0; at < 4; at++) {
    sends[at]?.settle(at === 2 ? new SourceUnavailable('Too large', { notAppended: 'too_large' }) : undefined)
    await turn()
  }
  expect(sends.map(({ values }) => values.join())).toEqual(['0', '1', '2', '3,4'])
  expect(await Promise.all(all)).toEqual(['done', 'done', 'EVENT_TOO_LARGE', 'done', 'done'])
})

test('more than it has room for is refused at once, with a time to come back', () => {
  const queue = new PublishQueue(heldSink().sink)
  for (let n = 0; n < 1_000; n++) void codeOf(queue.send('t', record(n), 10).done)
  expect(() => queue.send('t', record(0), 10)).toThrow(expect.objectContaining({ code: 'PUBLISH_BUSY', status: 503 }))
  const large = new PublishQueue(heldSink().sink)
  for (let n = 0; n < 16; n++) void codeOf(large.send('t', record(n), 1024 * 1024).done)
  expect(() => large.send('t', record(0), 1)).toThrow(expect.objectContaining({ retryAfterMs: expect.any(Number) }))
})

test('of a log that is silent, what was sent is in doubt, and what was not is never sent', async () => {
  const { sink, sends } = heldSink()
  const queue = new PublishQueue(sink, 1)
  const sent = queue.send('t', record(0), 10)
  const codes = [codeOf(sent.done), codeOf(queue.send('t', record(1), 10).done)]
  expect(await Promise.all(codes)).toEqual(['PUBLISH_UNCONFIRMED', 'PUBLISH_FAILED'])
  expect(queue.pending).toBe(1)
  sends[0]?.settle()
  await sent.settled
  await turn()
  expect([sends.length, queue.pending]).toEqual([1, 0])
})

test.each([
  ['unsent', 'PUBLISH_FAILED'],
  ['denied', 'PUBLISH_FAILED'],
  ['unknown_topic', 'PUBLISH_FAILED'],
  ['too_large', 'EVENT_TOO_LARGE'],
  [undefined, 'PUBLISH_UNCONFIRMED'],
] as const)('a failure of the log (%s) is told as %s', async (notAppended, code) => {
  const { sink, sends } = heldSink()
  const { done } = new PublishQueue(sink).send('t', record(0), 10)
  sends[0]?.settle(new SourceUnavailable('It fails', { notAppended }))
  expect(await codeOf(done)).toBe(code)
})
