import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { WRITE_STALL_MS } from '../../src/delivery/outlet.ts'
import { AnswerBudget } from '../../src/transport/answer-budget.ts'
import { until } from '../kit/until.ts'

const MIB = 1024 * 1024
/** More than a unix socket takes of a client that does not read. */
const LARGE = 2 * MIB

// Time stands still here, also for who waits too long.
vi.setConfig({ testTimeout: 10_000 })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
})

/** A server that answers with as many bytes as the path says, on a unix socket, whose buffers are small. */
async function serve(limit: number) {
  const answers = new AnswerBudget(limit)
  const server = createServer({ ServerResponse: answers.Response }, (request, response) => {
    const size = Number(request.url?.slice(1))
    if (request.method === 'PUT') {
      // In pieces, as a library may do it.
      for (let sent = 0; sent < size; sent += MIB / 4) response.write(Buffer.alloc(Math.min(size - sent, MIB / 4)))
      response.end()
    } else response.end(Buffer.alloc(size))
  })
  const path = join(tmpdir(), `sluice-answers-${randomUUID()}.sock`)
  server.listen(path)
  await once(server, 'listening')
  onTestFinished(() => {
    answers.close()
    server.closeAllConnections()
    server.close()
  })
  const ask = async (size: number, method = 'GET'): Promise<Socket> => {
    const socket = connect(path)
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(`${method} /${size} HTTP/1.1\r\nhost: a\r\n\r\n`)
    return socket
  }
  return { answers, ask }
}

test.each(['GET', 'PUT'])(
  'an answer counts from when it is written until its client has taken it (%s)',
  async (method) => {
    const { answers, ask } = await serve(10 * MIB)
    const small = await ask(1_000, method)
    await once(small, 'readable')
    expect(answers.used).toBe(0)

    const socket = await ask(LARGE, method)
    await until('it waits', () => answers.used > MIB)
    expect(answers.used).toBeLessThan(LARGE + MIB)
    socket.resume()
    await until('it has been taken', () => answers.used === 0)
    expect(answers.stats).toEqual({ refused: 0, cut: 0 })
  },
)

test('an answer whose client goes is given back', async () => {
  const { answers, ask } = await serve(10 * MIB)
  const socket = await ask(LARGE)
  await until('it waits', () => answers.used > 0)
  socket.destroy()
  await until('it is given back', () => answers.used === 0)
})

test('a client that takes nothing for 30 s loses its connection, and what it held is given back', async () => {
  const { answers, ask } = await serve(10 * MIB)
  const socket = await ask(LARGE)
  await until('it waits', () => answers.used > 0)
  vi.advanceTimersByTime(WRITE_STALL_MS - 2_000)
  expect(answers.used).toBeGreaterThan(0)
  vi.advanceTimersByTime(4_000)
  expect([answers.used, answers.stats.cut]).toEqual([0, 1])
  socket.resume()
  await once(socket, 'close')
  expect(socket.bytesRead).toBeLessThan(LARGE)
})

/** As much as has a unix socket take more: 8 KiB a second, in steps of 20 s. */
const LITTLE = 160 * 1024

/** Reads this much. */
async function take(socket: Socket, bytes: number): Promise<void> {
  const goal = socket.bytesRead + bytes
  const onData = () => void (socket.bytesRead >= goal && socket.pause())
  socket.on('data', onData)
  socket.resume()
  await until('it has been read', () => socket.bytesRead >= goal || socket.destroyed)
  socket.off('data', onData)
  socket.pause()
  // The other side is in this process too, and is to see that there is room.
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a client that takes a little now and then is given up in the end, and one that is slow, but not so slow, is not', async () => {
  const { answers, ask } = await serve(20 * MIB)
  const size = 4 * MIB
  const slow = await ask(size)
  const slower = await ask(size)
  await until('they wait', () => answers.used > size)
  // 16 KiB a second, and half a minute, is 286 s for 4 MiB.
  for (let seconds = 0; seconds < 200; seconds += 20) {
    await take(slow, size / 13)
    if (!slower.destroyed) await take(slower, LITTLE)
    vi.advanceTimersByTime(20_000)
  }
  slow.resume()
  await until('the slow one has all', () => slow.bytesRead >= size)
  expect(answers.stats.cut).toBe(0)
  vi.advanceTimersByTime(20_000)
  for (let seconds = 0; seconds < 100; seconds += 20) {
    if (answers.used > 0) await take(slower, LITTLE)
    vi.advanceTimersByTime(20_000)
  }
  expect([answers.used, answers.stats.cut]).toEqual([0, 1])
})

test('what is reserved counts until it is given back, once', () => {
  const answers = new AnswerBudget(10 * MIB)
  const shares = [answers.reserve(10), answers.reserve(1e9), answers.hold(5)]
  expect(answers.used).toBeGreaterThan(4 * MIB)
  for (const share of shares) {
    share.release()
    share.release()
  }
  expect(answers.used).toBe(0)
})

test('when it is full, nothing is reserved; what is there already is held all the same', () => {
  const answers = new AnswerBudget(MIB)
  const held = answers.hold(MIB)
  expect(() => answers.reserve(1)).toThrow(expect.objectContaining({ code: 'TOO_MANY_ANSWERS', status: 503 }))
  expect(answers.stats.refused).toBe(1)
  expect(answers.holdIfRoom(MIB)).toBeUndefined()
  answers.holdIfRoom(1_000)?.release()
  held.release()
  expect(answers.used).toBe(0)
  answers.reserve(1).release()
})

test('when it is full, clients that have taken nothing for some seconds make room, the longest stalled first', async () => {
  const { answers, ask } = await serve(5 * MIB)
  const first = await ask(LARGE)
  await until('it waits', () => answers.used > 0)
  vi.advanceTimersByTime(1_000)
  const second = await ask(LARGE)
  const before = answers.used
  await until('it waits', () => answers.used > before)
  const third = answers.hold(MIB)
  // Nobody has been slow for long: it is too early.
  expect(() => answers.reserve(1e9)).toThrow(expect.objectContaining({ code: 'TOO_MANY_ANSWERS' }))
  vi.advanceTimersByTime(5_000)
  const share = answers.reserve(20_000)
  expect(answers.stats).toEqual({ refused: 1, cut: 1 })
  for (const socket of [first, second]) socket.resume()
  await until('the other one has all', () => second.bytesRead >= LARGE)
  expect(first.bytesRead).toBeLessThan(LARGE)
  share.release()
  third.release()
  await until('all is given back', () => answers.used === 0)
})
