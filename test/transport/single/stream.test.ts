import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { CloseReason, OutletListener } from '../../../src/delivery/outlet.ts'
import { Faults } from '../../../src/errors/faults.ts'
import { COMMENT_BLOCK } from '../../../src/protocol/event-stream.ts'
import { frame, NO_CURSOR } from '../../../src/protocol/framing.ts'
import { OperationFraming } from '../../../src/protocol/single-connection.ts'
import { AnswerBudget } from '../../../src/transport/answer-budget.ts'
import { OperationLoad } from '../../../src/transport/single/operation-load.ts'
import { SingleStream } from '../../../src/transport/single/stream.ts'
import type { StreamOutlet } from '../../../src/transport/single/stream-options.ts'
import { anOwner } from '../../kit/admission.ts'
import { FakeOutlet } from '../../kit/engine.ts'
import { silentLog } from '../../kit/log-lines.ts'

const HEARTBEAT_MS = 10_000
const FRAMING = new OperationFraming('1', false)
const RESULT = frame(FRAMING, NO_CURSOR, Buffer.from('{"data":{"n":1}}'))
const COMPLETE = FRAMING.complete

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

  leave(reason: CloseReason): void {
    this.listener?.end(reason)
  }
}

/** An operation's member, which writes a result whenever it is told to go on. */
class FakeMember implements OutletListener {
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
  const faults = new Faults(silentLog)
  const stream = new SingleStream({
    answers: new AnswerBudget(),
    faults,
    load,
    token: 't',
    owner: anOwner(),
    heartbeatMs: HEARTBEAT_MS,
    onGone: () => gone++,
  })
  const begin = (id: string) => {
    const operation = stream.begin(id, anOwner())
    const member = new FakeMember()
    operation.attach(member)
    return { operation, member }
  }
  const open = () => {
    const socket = new FakeSocket()
    stream.open(socket)
    socket.forget()
    return socket
  }
  return { stream, faults, begin, open, gone: () => gone }
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
    expect(() => stream.begin('2', anOwner())).toThrow('No stream has this token')
    expect(() => stream.demandUnopened()).toThrow('No stream has this token')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is opened does not', () => {
    const { open, gone } = reserve()
    open()
    vi.advanceTimersByTime(60_000)
    expect(gone()).toBe(0)
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
    one.operation.end(COMPLETE, true)
    expect(socket.blocks).toEqual([{ event: 'complete', data: '{"id":"1"}' }])
    expect([socket.end_, other.member.ended]).toEqual(['open', undefined])
    expect(one.operation.write(RESULT)).toBe(true)
    expect(socket.results).toEqual([])
  })

  test('of operations without complete is that of the stream, once: the client has to come back for them', async () => {
    const { begin, open, gone } = reserve()
    const [one, other, third] = [begin('1'), begin('2'), begin('3')]
    const socket = open()
    one.operation.end()
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
      stream.end(reason)
      expect([socket.text, socket.end_, member.ended]).toEqual([
        expect.stringMatching(/^retry: \d+\n\n$/),
        'ended',
        reason,
      ])
    }
  })

  test('of one whose result waits drops it', () => {
    const { stream, open } = reserve()
    const operation = stream.begin('1', anOwner())
    operation.finish('{"data":{"n":1}}', FRAMING)
    expect(operation.heldBytes).toBe(RESULT.length + COMPLETE.length)
    stream.stop('1')
    const socket = open()
    expect(socket.text).toBe('')
    expect(operation.isRunning).toBe(false)
  })
})

describe('a stream of which something throws ends alone, and counts it', () => {
  const broken = (): never => {
    throw new Error('Broken')
  }
  const cases: Record<string, (of: ReturnType<typeof reserve>) => FakeSocket | undefined> = {
    'while it is opened': ({ stream }) => {
      const socket = new FakeSocket()
      socket.write = broken
      stream.open(socket)
      return socket
    },
    'while it is attached': ({ stream }) => {
      const socket = new FakeSocket()
      socket.attach = broken
      stream.open(socket)
      return socket
    },
    'at a heartbeat': ({ open }) => {
      const socket = open()
      socket.write = broken
      vi.advanceTimersByTime(HEARTBEAT_MS)
      return socket
    },
    'when it is uncorked': ({ open }) => {
      const socket = open()
      socket.uncork = broken
      return socket
    },
    'when it ends soon': ({ stream, open }) => {
      const socket = open()
      socket.end = broken
      stream.endSoon()
      return socket
    },
    'while its operations are woken': ({ begin, stream }) => {
      for (let id = 0; id < 20; id++) {
        const { operation, member } = begin(String(id))
        operation.write(RESULT)
        if (id === 15) member.drained = broken
      }
      const socket = new FakeSocket()
      stream.open(socket)
      return socket
    },
    'while an operation is let go of': ({ begin }) => {
      const { member } = begin('1')
      member.end = broken
      vi.advanceTimersByTime(20_000)
      return undefined
    },
  }
  for (const [name, act] of Object.entries(cases)) {
    test(name, async () => {
      const reserved = reserve()
      const { member } = reserved.begin('other')
      const socket = act(reserved)
      for (let turn = 0; turn < 5; turn++) await nextTurn()
      expect(reserved.faults.counts.stream).toBeGreaterThan(0)
      expect([reserved.gone(), member.ended]).toEqual([1, expect.any(String)])
      if (socket) expect(socket.end_).toBe('destroyed')
      expect(vi.getTimerCount()).toBe(0)
    })
  }
})

test('a stream carries 50 operations before it is opened, and 200 then', () => {
  const { begin, open } = reserve()
  const begun = (from: number, to: number) => {
    for (let id = from; id < to; id++) begin(`${id}`)
  }
  begun(0, 50)
  const refused = (max: string) =>
    expect.objectContaining({ code: 'TOO_MANY_OPERATIONS', message: expect.stringContaining(max) })
  expect(() => begin('more')).toThrow(refused('50 operations at most before it is opened'))
  open()
  begun(50, 200)
  expect(() => begin('more')).toThrow(refused('200 operations at most'))
})

test('reserved streams carry 20,000 operations together, and more begin as some open, are stopped or expire', () => {
  const load = new OperationLoad()
  const streams = Array.from({ length: 400 }, () => reserve(load))
  for (const { begin } of streams) for (let id = 0; id < 50; id++) begin(`${id}`)
  const more = reserve(load)
  const refused = expect.objectContaining({ code: 'TOO_MANY_STREAMS', status: 503 })
  expect(() => more.begin('a')).toThrow(refused)
  streams[0]?.stream.stop('7')
  more.begin('a')
  expect(() => more.begin('b')).toThrow(refused)
  streams[1]?.stream.open(new FakeSocket())
  for (let id = 0; id < 49; id++) more.begin(`${id}`)
  streams[2]?.stream.gone()
  const last = reserve(load)
  for (let id = 0; id < 50; id++) last.begin(`${id}`)
})
