import { describe, expect, it } from 'vitest'
import { lookAt } from '../../../src/cli/init/sample/look.ts'
import { newestRecords } from '../../../src/cli/init/sample/newest.ts'
import type { RawRecord } from '../../../src/streams/event.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import type { ObjectShape } from '../../../src/streams/topic/shape.ts'

const raw = (value: unknown, key: string | null = null): RawRecord => ({
  partition: 0,
  offset: 0,
  timestamp: 0,
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
  headers: undefined,
})
const many = (value: (index: number) => unknown): RawRecord[] =>
  Array.from({ length: 30 }, (_, index) => raw(value(index)))
const signal = new AbortController().signal

describe('what records are', () => {
  it("Debezium's changes are rows with an operation; what only the key has for certain may be null", () => {
    const change = (id: number) => ({ before: null, after: { id, plan: 'x' }, source: { db: 'shop' }, op: 'c' })
    const records = Array.from({ length: 30 }, (_, id) => raw(change(id), JSON.stringify({ id })))
    const { reading, value, notes } = lookAt('customers', [...records, raw(null, '{"id":1}')])
    expect(reading).toMatchObject({ format: 'debezium', codec: 'debeziumCodec({ source: false })' })
    const { fields } = value.shape as ObjectShape
    expect([...fields].map(([name, { isNullable }]) => [name, isNullable])).toEqual([
      ['id', false],
      ['plan', true],
      ['op', false],
    ])
    expect(notes.join(' ')).toMatch(/Debezium.*1 of 31 records had no value.*tombstones/)
  })

  it('with a schema around it, or with a column `op`, it is the same', () => {
    const payload = { before: null, after: { id: 1, op: 'x' }, source: {}, op: 'c' }
    const { reading } = lookAt(
      'customers',
      many(() => ({ schema: null, payload })),
    )
    expect(reading.codec).toBe("debeziumCodec({ op: 'operation', source: false })")
  })

  it("Kafka Connect's are what is in their payload", () => {
    const { reading, value } = lookAt('c', many((id) => ({ schema: null, payload: { id } }))) // biome-ignore format: one line
    expect(reading.codec).toBe('connectCodec()')
    expect([...(value.shape as ObjectShape).fields.keys()]).toEqual(['id'])
  })

  it('of a registry are told to need it', () => {
    expect(() =>
      lookAt(
        'a',
        many(() => Buffer.from([0, 0, 0, 0, 1, 2, 3])),
      ),
    ).toThrow('--registry URL')
  })

  it('that are no JSON have no codec, which does not compile', () => {
    expect(
      lookAt(
        'a',
        many(() => Buffer.from([1, 2, 3])),
      ).reading.format,
    ).toBe('missing')
    expect(
      lookAt(
        'a',
        many(() => Buffer.from('plain words')),
      ).reading.format,
    ).toBe('missing')
  })

  it('are told where there are none, few, or some that do not decode', () => {
    expect(lookAt('a', []).value.doubt).toContain('no record')
    expect(lookAt('a', [raw({ a: 1 })]).notes.join()).toContain('Only 1 record')
    const { notes } = lookAt('a', [...many(() => ({ a: 1 })), raw(Buffer.from('{'))])
    expect(notes.join()).toContain('1 of 31 values did not decode')
  })
})

describe('the newest records', () => {
  it('are those of all partitions, by time', async () => {
    const log = createEmbeddedLog()
    log.createTopic('t', 3)
    const records = Array.from({ length: 3000 }, (_, index) => ({ key: null, value: `${index}`, partition: index % 3 }))
    await log.sink.send('t', records)
    const { records: found, partitions, isCut } = await newestRecords(log.source, 't', signal)
    expect(found.map(({ value }) => Number(value)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: found.length }, (_, index) => 3000 - found.length + index),
    )
    expect([found.length >= 400 && found.length < 410, partitions, isCut]).toEqual([true, 3, false])
    await log.close()
  })

  it('are few of large ones', async () => {
    const log = createEmbeddedLog({ retentionBytes: 2 ** 30 })
    log.createTopic('t', 1)
    const value = 'x'.repeat(1_000_000)
    await log.sink.send(
      't',
      Array.from({ length: 40 }, () => ({ key: null, value })),
    )
    expect((await newestRecords(log.source, 't', signal)).records.length).toBeLessThan(20)
    await log.close()
  })
})
