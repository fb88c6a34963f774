import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/streams/cursor/cursor.ts'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { countedLog, cursorBehind, requestFor, resume, told, type Wishes } from './resuming.ts'

/** Requests under way at once, where there are hundreds to make. */
const AT_ONCE = 20

const WAYS: [name: string, wishes: (cursor: string) => Wishes, method: 'GET' | 'POST'][] = [
  ['Last-Event-ID', (header) => ({ header }), 'POST'],
  ['Last-Event-ID of a GET', (header) => ({ header }), 'GET'],
  ['lastEventId in the query', (query) => ({ query }), 'GET'],
  ['the extensions', (lastEventId) => ({ extensions: { lastEventId } }), 'POST'],
  ['the argument `after`', (after) => ({ after }), 'POST'],
]

/** A gateway whose source counts what it is asked, and a cursor of it. */
async function gatewayWithCursor() {
  const { embedded, calls } = countedLog()
  const gateway = await startTestGateway({ embedded })
  const stream = await resume(gateway.graphql)
  await gateway.produce({ id: 'a' }, { id: 'b' })
  await stream.untilResults(2)
  const cursor = cursorBehind(stream, 'a')
  await stream.close()
  return { gateway, cursor, calls }
}

/** The bytes of a cursor with its checksum made right again, as somebody might who knows the format. */
function signed(bytes: Buffer): string {
  const body = bytes.subarray(0, -4)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([body, checksum]).toString('base64url')
}

function badCursors(cursor: string): Record<string, string> {
  const { positions, epoch } = decodeCursor('orders', cursor)
  const bytes = Buffer.from(cursor, 'base64url')
  const countAt = bytes.length - 4 - positions.length - 1
  const withByte = (at: number, value: number) => signed(Buffer.from(bytes.with(at, value)))
  const flipped = Buffer.from(bytes)
  flipped.writeUInt8(flipped.readUInt8(9) ^ 4, 9)
  return {
    'no cursor at all': 'rubbish',
    'one character': 'A',
    'not base64url': `${cursor.slice(0, -1)}+`,
    'with a space in it': `${cursor.slice(0, 8)} ${cursor.slice(8)}`,
    truncated: cursor.slice(0, -3),
    'with more behind it': `${cursor}AAAA`,
    'a bit flipped': flipped.toString('base64url'),
    'of another topic': encodeCursor('payments', { positions, epoch }),
    'of another version': withByte(0, 9),
    'with flags that do not exist': withByte(1, 0xff),
    'with a count of 256 partitions, and six of them': withByte(countAt, 255),
    'with a count of one partition, and six of them': withByte(countAt, 0),
    'with an offset beyond 2^53': signed(
      Buffer.concat([bytes.subarray(0, -5), Buffer.from('ffffffffffffffff7f', 'hex'), Buffer.alloc(4)]),
    ),
    'of 10 KB': 'A'.repeat(10 * 1024),
    'of 10 KB, the first of them good': cursor + 'A'.repeat(10 * 1024),
  }
}

test.each(WAYS)('resume 3: a bad cursor by %s is refused at once, with no work done', async (_name, wishes, method) => {
  const { gateway, cursor, calls } = await gatewayWithCursor()
  const before = calls()
  const { groups, stats } = gateway.engine
  const replays = { ...stats.replays }
  for (const [what, bad] of Object.entries(badCursors(cursor))) {
    const answer = await RawStream.answer(gateway.graphql, requestFor(wishes(bad), method))
    expect(answer.status, what).toBe(200)
    expect(answer.headers['content-type'], what).toBe('text/event-stream; charset=utf-8')
    expect(answer.blocks, what).toEqual([
      { event: 'next', data: expect.any(String) },
      { event: 'complete', data: '' },
    ])
    const [result] = answer.results
    expect(result, what).not.toHaveProperty('data')
    expect(result?.errors?.[0]?.extensions?.code, what).toBe('CURSOR_INVALID')
  }
  expect(calls()).toBe(before)
  expect(gateway.engine.groups).toBe(groups)
  expect(stats.replays).toEqual(replays)
})

test('resume 3: damage of any one bit of a cursor, and a cut at any place, is noticed', async () => {
  const { gateway, cursor, calls } = await gatewayWithCursor()
  const before = calls()
  const bytes = Buffer.from(cursor, 'base64url')
  const damaged = Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const copy = Buffer.from(bytes)
    copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
    return copy.toString('base64url')
  })
  for (let length = 1; length < cursor.length; length++) damaged.push(cursor.slice(0, length))
  const codes = new Set<unknown>()
  for (let i = 0; i < damaged.length; i += AT_ONCE) {
    const some = damaged.slice(i, i + AT_ONCE)
    const answers = await Promise.all(some.map((header) => RawStream.answer(gateway.graphql, requestFor({ header }))))
    for (const answer of answers) {
      expect(answer.blocks).toHaveLength(2)
      for (const code of told(answer)) codes.add(code)
    }
  }
  expect(damaged.length).toBeGreaterThan(200)
  expect([...codes]).toEqual(['CURSOR_INVALID'])
  expect(calls()).toBe(before)
})

test('a bad cursor that another one wins over is not looked at', async () => {
  const { gateway, cursor } = await gatewayWithCursor()
  const stream = await resume(gateway.graphql, { header: cursor, query: 'rubbish', after: 'rubbish' })
  await stream.untilResults(1)
  expect(told(stream)).toEqual(['b'])
})

test('a good cursor in the URL does not hide a bad one in the header', async () => {
  const { gateway, cursor } = await gatewayWithCursor()
  const answer = await RawStream.answer(gateway.graphql, requestFor({ header: 'rubbish', query: cursor }))
  expect(told(answer)).toEqual(['CURSOR_INVALID'])
})

test('a cursor may name some partitions that this instance does not know yet, and not any number of them', async () => {
  const { gateway } = await gatewayWithCursor()
  const { epoch } = gateway.embedded
  const naming = (partitions: number) => encodeCursor('orders', { positions: new Array(partitions).fill(0), epoch })
  const stream = await resume(gateway.graphql, { header: naming(6 + 64) })
  await stream.untilResults(1)
  expect(told(stream)[0]).not.toBe('CURSOR_INVALID')
  const answer = await RawStream.answer(gateway.graphql, requestFor({ header: naming(6 + 65) }))
  expect(answer.results[0]?.errors).toMatchObject([
    { message: 'The cursor names more partitions than its topic has', extensions: { code: 'CURSOR_INVALID' } },
  ])
  expect(answer.blocks).toHaveLength(2)
})
