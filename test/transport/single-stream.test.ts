import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { bodyOf, COMMENT_BLOCK, COMPLETE_BLOCK, retryBlock } from '../../src/delivery/frame.ts'
import type { CloseReason, Member } from '../../src/delivery/subscriber.ts'
import { AnswerBudget } from '../../src/transport/answer-budget.ts'
import { OperationLoad } from '../../src/transport/operation-load.ts'
import { SingleStream, type StreamOutlet } from '../../src/transport/single-stream.ts'
import { FakeOutlet } from '../kit/engine.ts'

const HEARTBEAT_MS = 10_000
const RESULT = bodyOf('{"data":{"n":1}}')

/** A socket that counts how often it is corked. */
class FakeSocket extends FakeOutlet implements StreamOutlet {
  corks = 0
  isCorked = false

  cork(): void {
    this.corks++
    this.isCorked = true
  }

  uncork(): void {
    this.isCorked = false
  }
}

/** An operation's member, which writes a result whenever it is told to go on. */
class FakeMember implements Member {
  drains = 0
  progress = 0
  ended: CloseReason | undefined
  onDrained: () => void = () => {}

  drained(): void {
    this.drains++
    this.onDrained()
  }

  progressed(): void {
    this.progress++
  }

  gone(): void {
    this.ended = 'client'
  }

  end(reason: CloseReason): void {
    this.ended = reason
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
})

function reserve(load = new OperationLoad()) {
  let gone = 0
  const stream = new SingleStream({
    answers: new AnswerBudget(),
    load,
    token: 't',
    principal: 'p',
    heartbeatMs: HEARTBEAT_MS,
    onGone: () => gone++,
  })
  const begin = (id: string) => {
    const operation = stream.begin(id)
    const member = new FakeMember()
    operation.attach(member)
    return { operation, member }
  }
  const open = () => {
    const socket = new FakeSocket()
    stream.open(() => socket)
    socket.forget()
    return socket
  }
  return { stream, begin, open, gone: () => gone }
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('a reservation', () => {
  test('that nobody opens expires after 20 seconds, with its operations', () => {
    const { stream, begin, gone } = reserve()
    const { member } = begin('1')
    vi.advanceTimersByTime(19_999)
    expect([member.ended, gone()]).toEqual([undefined, 0])
    vi.advanceTimersByTime(1)
    expect([member.ended, gone()]).toEqual(['client', 1])
    expect(() => stream.begin('2')).toThrow('No stream has this token')
    expect(() => stream.open(() => new FakeSocket())).toThrow('No stream has this token')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is opened does not', () => {
    const { open, gone } = reserve()
    open()
    vi.advanceTimersByTime(60_000)
    expect(gone()).toBe(0)
  })

  test('stays if its client has gone while it was opened', () => {
    const { stream, gone } = reserve()
    stream.open(() => undefined)
    expect([stream.isOpen, gone()]).toEqual([false, 0])
    vi.advanceTimersByTime(20_000)
    expect(gone()).toBe(1)
  })

  test('is full from the first moment, so that operations wait where they are', () => {
    const { begin, open } = reserve()
    const { operation, member } = begin('1')
    expect(operation.write(RESULT)).toBe(false)
    const socket = open()
    expect([member.drains, socket.full]).toEqual([1, false])
    expect(operation.write(RESULT)).toBe(true)
  })
})

describe('an open stream', () => {
  test('beats, unless it is full; and when it was full for 30 seconds it is given up', () => {
    const { begin, open, gone } = reserve()
    const { operation, member } = begin('1')
    const socket = open()
    vi.advanceTimersByTime(HEARTBEAT_MS * 3)
    expect(socket.text).toBe(COMMENT_BLOCK.toString().repeat(3))
    socket.full = true
    expect(operation.write(RESULT)).toBe(false)
    socket.forget()
    vi.advanceTimersByTime(30_000)
    expect([socket.text, socket.end_]).toEqual(['', 'open'])
    vi.advanceTimersByTime(HEARTBEAT_MS)
    expect([socket.end_, member.ended, gone()]).toEqual(['destroyed', 'stalled', 1])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is given up as a whole when one of its operations is', () => {
    const { begin, open, gone } = reserve()
    const [one, other] = [begin('1'), begin('2')]
    const socket = open()
    one.operation.destroy()
    expect([socket.end_, one.member.ended, other.member.ended, gone()]).toEqual(['destroyed', undefined, 'stalled', 1])
  })

  test('sends what comes in one turn as one', async () => {
    const { begin, open } = reserve()
    const [one, other] = [begin('1'), begin('2')]
    const socket = open()
    await nextTurn()
    const { corks } = socket
    one.operation.write(RESULT)
    other.operation.write(RESULT)
    one.operation.write(RESULT)
    expect([socket.corks - corks, socket.isCorked]).toEqual([1, true])
    await nextTurn()
    expect(socket.isCorked).toBe(false)
    expect(socket.results).toHaveLength(3)
  })

  test('is full for all of its operations, and lets them go on in turn when it has room', () => {
    const { stream, begin, open } = reserve()
    const all = ['1', '2', '3'].map(begin)
    const socket = open()
    socket.full = true
    for (const { operation } of all) expect(operation.write(RESULT)).toBe(false)
    // Each finds it full again, once it has written.
    for (const { operation, member } of all) member.onDrained = () => operation.write(RESULT)
    for (let turn = 1; turn <= 6; turn++) stream.drained()
    expect(all.map(({ member }) => member.drains)).toEqual([2, 2, 2])
    // Who still waits hears that the socket is not dead.
    expect(all.map(({ member }) => member.progress)).toEqual([6, 6, 6])
    socket.full = false
    for (const { member } of all) member.onDrained = () => {}
    stream.drained()
    expect(all.map(({ member }) => member.drains)).toEqual([3, 3, 3])
  })

  test('lets eight at a time go on that do not write at once', async () => {
    const { stream, begin, open } = reserve()
    const all = Array.from({ length: 20 }, (_each, id) => begin(`${id}`))
    const socket = open()
    socket.full = true
    for (const { operation } of all) operation.write(RESULT)
    socket.full = false
    stream.drained()
    const drained = () => all.filter(({ member }) => member.drains > 0).length
    expect(drained()).toBe(8)
    await nextTurn()
    await nextTurn()
    expect(drained()).toBe(20)
  })
})

describe('the end', () => {
  test('of a complete operation is its own', () => {
    const { begin, open } = reserve()
    const [one, other] = [begin('1'), begin('2')]
    const socket = open()
    one.operation.end(COMPLETE_BLOCK)
    expect(socket.blocks).toEqual([{ event: 'complete', data: '{"id":"1"}' }])
    expect([socket.end_, other.member.ended]).toEqual(['open', undefined])
    expect(one.operation.write(RESULT)).toBe(true)
    expect(socket.results).toEqual([])
  })

  test('of operations without complete is that of the stream, once: the client has to come back for them', async () => {
    const { begin, open, gone } = reserve()
    const [one, other, third] = [begin('1'), begin('2'), begin('3')]
    const socket = open()
    one.operation.end(retryBlock(1))
    other.operation.end()
    expect([socket.end_, third.member.ended]).toEqual(['open', undefined])
    await nextTurn()
    expect(socket.blocks).toEqual([{ retry: expect.stringMatching(/^\d+$/) }])
    expect([socket.end_, third.member.ended, gone()]).toEqual(['ended', 'shutdown', 1])
  })

  test('of the stream says to each operation why', () => {
    for (const reason of ['age', 'shutdown'] as const) {
      const { stream, begin, open } = reserve()
      const { member } = begin('1')
      const socket = open()
      stream.end(reason, retryBlock(1234))
      expect([socket.text, socket.end_, member.ended]).toEqual(['retry: 1234\n\n', 'ended', reason])
    }
  })

  test('of one whose result waits drops it', () => {
    const { stream, open } = reserve()
    const operation = stream.begin('1')
    operation.finish(Buffer.concat([RESULT, COMPLETE_BLOCK]))
    expect(operation.heldBytes).toBe(RESULT.length + COMPLETE_BLOCK.length)
    stream.stop('1')
    const socket = open()
    expect(socket.text).toBe('')
    expect(operation.isRunning).toBe(false)
  })
})

test('reserved streams carry 20,000 operations together, and more begin as some open, are stopped or expire', () => {
  const load = new OperationLoad()
  const streams = Array.from({ length: 100 }, () => reserve(load))
  for (const { begin } of streams) for (let id = 0; id < 200; id++) begin(`${id}`)
  const more = reserve(load)
  const refused = expect.objectContaining({ code: 'TOO_MANY_STREAMS', status: 503 })
  expect(() => more.begin('a')).toThrow(refused)
  streams[0]?.stream.stop('7')
  more.begin('a')
  expect(() => more.begin('b')).toThrow(refused)
  streams[1]?.stream.open(() => new FakeSocket())
  for (let id = 0; id < 190; id++) more.begin(`${id}`)
  streams[2]?.stream.gone()
  const last = reserve(load)
  for (let id = 0; id < 200; id++) last.begin(`${id}`)
})
