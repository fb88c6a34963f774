import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RawRecord } from '../../../src/streams/event.ts'
import { type FetchedRecords, type Source, SourceUnavailable } from '../../../src/streams/source/port.ts'
import { until } from '../../kit/until.ts'
import type { LogUnderTest } from './port-contract.ts'

export type Records = Extract<FetchedRecords, { kind: 'records' }>

const MIB = 1024 * 1024

export async function fetchRecords(
  source: Source,
  topic: string,
  offset: number,
  { partition = 0, maxBytes = MIB, signal = new AbortController().signal } = {},
): Promise<Records> {
  const fetched = await source.fetch(topic, partition, offset, maxBytes, signal)
  if (fetched.kind !== 'records')
    throw new Error(`Offset ${offset} of ${topic}/${partition}: ${JSON.stringify(fetched)}`)
  for (const record of fetched.records) {
    expect(record.partition).toBe(partition)
    expect(record.offset).toBeGreaterThanOrEqual(offset)
    expect(record.offset).toBeLessThan(fetched.nextOffset)
  }
  expect(fetched.endOffset).toBeGreaterThanOrEqual(fetched.nextOffset)
  return fetched
}

/** Fetch after fetch from `offset` up to `upTo`, or the end of the log. */
export async function fetchAll(
  source: Source,
  topic: string,
  offset: number,
  { partition = 0, maxBytes = MIB, upTo = Number.POSITIVE_INFINITY } = {},
): Promise<{ records: RawRecord[]; fetches: number; next: number }> {
  const records: RawRecord[] = []
  for (let next = offset, fetches = 0; ; fetches++) {
    if (next >= upTo) return { records, fetches, next }
    const fetched = await fetchRecords(source, topic, next, { partition, maxBytes })
    for (const record of fetched.records) records.push(record)
    if (fetched.nextOffset === next) {
      expect(fetched.endOffset).toBe(next)
      if (upTo === Number.POSITIVE_INFINITY) return { records, fetches, next }
    }
    next = fetched.nextOffset
  }
}

export const valuesOf = (records: readonly RawRecord[]): string[] => records.map(({ value }) => String(value))

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i))

/** The part of the port's contract that is about fetches from partitions. */
export function fetchContract(log: () => LogUnderTest, { runs }: { runs: number }): void {
  /** A topic of one partition with the numbers from 0 on, each sent on its own or several at once. */
  const topicOf = async (count: number, atOnce = count, pad = ''): Promise<string> => {
    const topic = await log().createTopic(1)
    for (let sent = 0; sent < count; sent += atOnce) {
      const values = numbers(sent, Math.min(sent + atOnce, count)).map((value) => value + pad)
      await log().sink.send(
        topic,
        values.map((value) => ({ key: null, value, partition: 0 })),
      )
    }
    return topic
  }

  test('a fetch has the records from its offset on, and says where to read on', async () => {
    const { source } = log()
    const topic = await topicOf(10, 4)
    for (const offset of [0, 1, 4, 7, 9]) {
      const { records, next } = await fetchAll(source, topic, offset)
      expect(valuesOf(records)).toEqual(numbers(offset, 10))
      expect(next).toBe(10)
    }
    expect((await fetchRecords(source, topic, 8)).endOffset).toBe(10)
  })

  test('a record of a fetch is as it was sent', async () => {
    const topic = await log().createTopic(2)
    await log().sink.send(topic, [
      { key: null, value: null, partition: 1 },
      { key: 'k', value: 'v', partition: 1, timestamp: 1_700_000_000_123, headers: { source: 'cafétéria' } },
    ])
    const { records } = await fetchRecords(log().source, topic, 0, { partition: 1 })
    expect(records[0]).toMatchObject({ partition: 1, offset: 0, key: null, value: null })
    expect(records[1]).toMatchObject({ partition: 1, offset: 1, timestamp: 1_700_000_000_123 })
    expect([String(records[1]?.key), String(records[1]?.value)]).toEqual(['k', 'v'])
    expect(String(records[1]?.headers?.source)).toBe('cafétéria')
  })

  test('at the end of the log a fetch is empty, and is not waited for', async () => {
    const { source } = log()
    const topic = await topicOf(3)
    await fetchRecords(source, topic, 0) // so that nothing has to be connected
    const asked = performance.now()
    for (let i = 0; i < 10; i++) {
      expect(await fetchRecords(source, topic, 3)).toEqual({
        kind: 'records',
        records: [],
        nextOffset: 3,
        endOffset: 3,
      })
    }
    // Far below ten waits of a fetch that waits.
    expect(performance.now() - asked).toBeLessThan(2_000)
    const empty = await log().createTopic(1)
    expect(await fetchRecords(source, empty, 0)).toMatchObject({ records: [], nextOffset: 0, endOffset: 0 })
  })

  test('an offset that is not in the log any more, or not yet, is out of range', async () => {
    const { source } = log()
    const topic = await topicOf(10, 1)
    await log().deleteRecords(topic, 0, 6)
    const signal = new AbortController().signal
    const outOfRange = { kind: 'out_of_range', range: { partition: 0, earliest: 6, next: 10 } }
    for (const offset of [0, 5, 11, 1_000]) {
      expect(await source.fetch(topic, 0, offset, MIB, signal)).toEqual(outOfRange)
    }
    expect(valuesOf((await fetchAll(source, topic, 6)).records)).toEqual(numbers(6, 10))
    await log().deleteRecords(topic, 0, 10)
    expect(await source.fetch(topic, 0, 9, MIB, signal)).toMatchObject({ range: { earliest: 10, next: 10 } })
    expect(await fetchRecords(source, topic, 10)).toMatchObject({ records: [], nextOffset: 10 })
  })

  test('fetches one after another have every record once and in order, however they are cut', async () => {
    const { source } = log()
    let severalFetches = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 4_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (count, atOnce, maxBytes, at) => {
          const topic = await topicOf(count, atOnce, '-'.repeat(50))
          const start = Math.floor(at * count)
          const { records, fetches, next } = await fetchAll(source, topic, start, { maxBytes })
          expect(records.map(({ offset }) => offset)).toEqual(numbers(start, count).map(Number))
          expect(valuesOf(records).map(Number.parseFloat)).toEqual(numbers(start, count).map(Number))
          expect(next).toBe(count)
          if (fetches > 1) severalFetches++
        },
      ),
      { numRuns: runs },
    )
    console.log(`${severalFetches} of ${runs} logs were read in several fetches`)
  })

  test('a fetch smaller than a record has that record', async () => {
    const { source } = log()
    const topic = await topicOf(3, 1, 'x'.repeat(100_000))
    const { records, fetches } = await fetchAll(source, topic, 0, { maxBytes: 1 })
    expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2])
    expect(fetches).toBe(3)
  })

  test('a fetch is about as large as was asked for', async () => {
    const { source } = log()
    const topic = await topicOf(200, 1, 'x'.repeat(1_000))
    const { records, nextOffset } = await fetchRecords(source, topic, 0, { maxBytes: 20_000 })
    expect(records.length).toBeGreaterThan(10)
    expect(records.length).toBeLessThan(21)
    expect(nextOffset).toBe(records.length)
  })

  test('what is appended meanwhile is had in order by reading on', async () => {
    const { source, sink } = log()
    const topic = await topicOf(1)
    const appending = (async () => {
      for (const value of numbers(1, 100)) await sink.send(topic, [{ key: null, value, partition: 0 }])
    })()
    const { records } = await fetchAll(source, topic, 0, { maxBytes: 300, upTo: 100 })
    await appending
    expect(valuesOf(records)).toEqual(numbers(0, 100))
  })

  test('many fetches at once are each what was asked for', async () => {
    const { source, sink } = log()
    const topics = [await log().createTopic(3), await log().createTopic(2)]
    const partitions = topics.flatMap((topic, t) => [0, 1, 2].slice(t).map((_, partition) => ({ topic, partition })))
    for (const { topic, partition } of partitions) {
      const values = numbers(0, 20).map((value) => `${topic}/${partition}/${value}`)
      await sink.send(
        topic,
        values.map((value) => ({ key: null, value, partition })),
      )
    }
    const asked = partitions.flatMap((each) => [0, 3, 10, 19, 20].map((offset) => ({ ...each, offset })))
    await Promise.all(
      asked.map(async ({ topic, partition, offset }) => {
        const { records } = await fetchRecords(source, topic, offset, { partition })
        expect(valuesOf(records)).toEqual(numbers(offset, 20).map((value) => `${topic}/${partition}/${value}`))
      }),
    )
  })

  test('fetches of a topic or of a partition that is not there are unavailable', async () => {
    const { source } = log()
    const { signal } = new AbortController()
    await expect(source.fetch('no-such-topic', 0, 0, MIB, signal)).rejects.toThrow(SourceUnavailable)
    const topic = await topicOf(1)
    await expect(source.fetch(topic, 1, 0, MIB, signal)).rejects.toThrow(SourceUnavailable)
    await expect(source.fetch(topic, 1, 0, MIB, signal)).rejects.toThrow('has no partition 1')
    expect(valuesOf((await fetchRecords(source, topic, 0)).records)).toEqual(['0'])
  })

  test('a partition that is added later can be read in fetches', async () => {
    const { source, sink } = log()
    const topic = await topicOf(1)
    await fetchRecords(source, topic, 0)
    await log().addPartitions(topic, 2)
    const sent = () => sink.send(topic, [{ key: null, value: 'new', partition: 1 }])
    // The sink may hear of the partition a moment later.
    await until('the partition takes a record', () =>
      sent().then(
        () => true,
        () => false,
      ),
    )
    expect(valuesOf((await fetchRecords(source, topic, 0, { partition: 1 })).records)).toEqual(['new'])
  })

  test('an aborted signal ends the asking at once, and nobody else is asking less', async () => {
    const { source } = log()
    const topic = await topicOf(10)
    const reason = new Error('No longer wanted')
    await expect(source.fetch(topic, 0, 0, MIB, AbortSignal.abort(reason))).rejects.toBe(reason)
    const aborting = new AbortController()
    const cut = expect(source.fetch(topic, 0, 0, MIB, aborting.signal)).rejects.toBe(reason)
    const other = fetchRecords(source, topic, 4)
    aborting.abort(reason)
    await cut
    expect(valuesOf((await other).records)).toEqual(numbers(4, 10))
    expect(valuesOf((await fetchRecords(source, topic, 0)).records)).toEqual(numbers(0, 10))
  })

  test('after the log was closed there are no fetches', async () => {
    const another = log().openAnother()
    const topic = await topicOf(1)
    const { signal } = new AbortController()
    const underWay = another.source.fetch(topic, 0, 0, MIB, signal).catch((error: unknown) => error)
    await another.close()
    expect(await underWay).toBeInstanceOf(SourceUnavailable)
    await expect(another.source.fetch(topic, 0, 0, MIB, signal)).rejects.toThrow(SourceUnavailable)
    await expect(another.source.fetch(topic, 0, 0, MIB, signal)).rejects.toThrow('closed')
  })
}
