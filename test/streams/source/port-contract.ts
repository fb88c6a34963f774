import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import type { Gap, Positions, RawRecord } from '../../../src/streams/event.ts'
import {
  type Batch,
  type OutgoingRecord,
  type Reader,
  type ReaderState,
  type Sink,
  type Source,
  SourceUnavailable,
} from '../../../src/streams/source/port.ts'
import { until } from '../../kit/until.ts'
import { fetchContract } from './fetch-contract.ts'

/** A log that the contract is tried on. */
export interface LogUnderTest {
  readonly source: Source
  readonly sink: Sink
  createTopic(partitions: number): Promise<string>
  addPartitions(topic: string, total: number): Promise<void>
  /** What retention does: the records of a partition below `before` are gone. */
  deleteRecords(topic: string, partition: number, before: number): Promise<void>
  /** To be closed by the test. */
  openAnother(): { readonly source: Source; close(): Promise<void> }
}

/** Generous: a new consumer of a loaded broker. Nothing waits for it when things are right. */
const WAIT_MS = 30_000

/** A reader that keeps what it is told, checks that each batch follows the one before, and wakes who waits for it. */
export class Recorder {
  readonly records: RawRecord[] = []
  readonly gaps: Gap[] = []
  readonly states: ReaderState[] = []
  /** Calls of any kind, so that a test can tell that there were no more. */
  calls = 0
  readonly #next = new Map<string, number>()
  readonly #faults: string[] = []
  readonly #waiting = new Set<() => void>()
  readonly #stopping = new AbortController()
  readonly #reading: Promise<unknown>

  constructor(source: Source, from: ReadonlyMap<string, Positions>) {
    for (const [topic, positions] of from) {
      for (const [partition, offset] of positions) this.#next.set(`${topic}/${partition}`, offset)
    }
    const told = (tell: () => void) => {
      this.calls++
      if (this.#stopping.signal.aborted) this.#faults.push('It was called after it was stopped')
      tell()
      for (const check of this.#waiting) check()
    }
    const reader: Reader = {
      onBatch: (batch) => {
        told(() => this.#take(batch))
        return undefined
      },
      onGap: (gap) =>
        told(() => {
          this.gaps.push(gap)
          this.#next.set(`${gap.topic}/${gap.partition}`, gap.to)
        }),
      onState: (state) => told(() => void this.states.push(state)),
    }
    const { signal } = this.#stopping
    const readings = [...from].map(([topic, positions]) => source.read(topic, positions, reader, signal))
    this.#reading = Promise.all(readings)
  }

  #take({ topic, partition, records, nextOffset, endOffset }: Batch): void {
    const place = `${topic}/${partition}`
    let next = this.#next.get(place) ?? 0
    for (const record of records) {
      if (record.partition !== partition) this.#faults.push(`${place} brought a record of ${record.partition}`)
      if (record.offset < next) this.#faults.push(`${place} went back from ${next} to ${record.offset}`)
      next = record.offset + 1
      this.records.push(record)
    }
    if (nextOffset < next) this.#faults.push(`${place} reads on at ${nextOffset}, and has been at ${next}`)
    if (endOffset < nextOffset) this.#faults.push(`${place} ends at ${endOffset}, before ${nextOffset}`)
    this.#next.set(place, nextOffset)
  }

  get state(): ReaderState | undefined {
    return this.states.at(-1)
  }

  /** The next offset of a partition, as the batches and gaps have moved it. */
  next(topic: string, partition: number): number | undefined {
    return this.#next.get(`${topic}/${partition}`)
  }

  /** Values of a partition's records, in the order they came. */
  values(partition: number): string[] {
    return this.records.filter((record) => record.partition === partition).map((record) => String(record.value))
  }

  /** Resolves as soon as `holds` does, looked at after every call. */
  async until(holds: () => boolean, what = String(holds)): Promise<void> {
    if (holds()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const check = () => {
      if (holds()) resolve()
    }
    const timer = setTimeout(() => reject(new Error(`Waited in vain for: ${what}; ${this.#said()}`)), WAIT_MS)
    this.#waiting.add(check)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(check)
    }
  }

  /** Stops reading, and fails if anything was not as it has to be. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#reading
    expect(this.#faults).toEqual([])
  }

  #said(): string {
    const { records, gaps, states } = this
    return JSON.stringify({ records: records.length, next: [...this.#next], gaps, states })
  }
}

export function from(topic: string, positions: Readonly<Record<number, number>>): ReadonlyMap<string, Positions> {
  return new Map([
    [topic, new Map(Object.entries(positions).map(([partition, offset]) => [Number(partition), offset]))],
  ])
}

const record = (partition: number, value: string, key: string | null = null): OutgoingRecord => ({
  key,
  value,
  partition,
})

/** What every log must do for the gateway to keep its promises. `runs` is for each property. */
export function portContract(log: () => LogUnderTest, { runs }: { runs: number }): void {
  const recorders = new Set<Recorder>()
  afterEach(async () => {
    const all = [...recorders]
    recorders.clear()
    await Promise.all(all.map((recorder) => recorder.stop()))
  })
  const read = (start: ReadonlyMap<string, Positions>): Recorder => {
    const recorder = new Recorder(log().source, start)
    recorders.add(recorder)
    return recorder
  }
  const stop = async (recorder: Recorder) => {
    recorders.delete(recorder)
    await recorder.stop()
  }

  test('every partition is read in order and without loss from the offset that was given', async () => {
    const partition = fc.record({ length: fc.nat(40), start: fc.nat(40) })
    const log_ = fc.array(partition, { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(log_, async (partitions) => {
        const topic = await log().createTopic(partitions.length)
        const sent = partitions.flatMap(({ length }, p) => Array.from({ length }, (_, i) => record(p, `${p}:${i}`)))
        await log().sink.send(topic, sent)
        const starts = partitions.map(({ length, start }) => Math.min(start, length))
        const reader = read(from(topic, starts))
        await reader.until(() => partitions.every(({ length }, p) => reader.next(topic, p) === length))
        for (const [p, { length }] of partitions.entries()) {
          const start = starts[p] as number
          expect(reader.values(p)).toEqual(Array.from({ length: length - start }, (_, i) => `${p}:${start + i}`))
        }
        expect(reader.gaps).toEqual([])
        await stop(reader)
      }),
      { numRuns: runs },
    )
  })

  test('what is appended while the reader is being started, and after, arrives once', async () => {
    const topic = await log().createTopic(2)
    await log().sink.send(topic, [record(0, 'before'), record(1, 'before')])
    const start = await log().source.ranges(topic)
    await log().sink.send(topic, [record(0, '0')])
    const reader = read(from(topic, Object.fromEntries(start.map(({ partition, next }) => [partition, next]))))
    for (let i = 1; i <= 50; i++) await log().sink.send(topic, [record(0, String(i)), record(1, String(i))])
    await reader.until(() => reader.records.length >= 101)
    await log().sink.send(topic, [record(1, 'after')])
    await reader.until(() => reader.values(1).at(-1) === 'after')
    expect(reader.values(0)).toEqual(Array.from({ length: 51 }, (_, i) => String(i)))
    expect(reader.values(1)).toEqual([...Array.from({ length: 50 }, (_, i) => String(i + 1)), 'after'])
  })

  test('a reader says that it is reading', async () => {
    const topic = await log().createTopic(1)
    const reader = read(from(topic, { 0: 0 }))
    await reader.until(() => reader.state?.kind === 'reading')
  })

  test('a record comes back as it was sent', async () => {
    const topic = await log().createTopic(1)
    const sent: OutgoingRecord[] = [
      { key: null, value: null, partition: 0 },
      { key: '', value: '', partition: 0 },
      { key: 'schlüssel', value: Buffer.from([0, 255, 128]), partition: 0, timestamp: 1_700_000_000_123 },
      { key: 'k', value: 'v', partition: 0, headers: { source: 'cafétéria', empty: '' } },
    ]
    await log().sink.send(topic, sent)
    const reader = read(from(topic, { 0: 0 }))
    await reader.until(() => reader.records.length === sent.length)
    const [none, empty, bytes, headers] = reader.records
    expect([none?.key, none?.value]).toEqual([null, null])
    expect([String(empty?.key), String(empty?.value)]).toEqual(['', ''])
    expect(String(bytes?.key)).toBe('schlüssel')
    expect(bytes?.value).toEqual(Buffer.from([0, 255, 128]))
    expect(bytes?.timestamp).toBe(1_700_000_000_123)
    const text = Object.entries(headers?.headers ?? {}).map(([name, value]) => [name, String(value)])
    expect(text).toEqual([
      ['source', 'cafétéria'],
      ['empty', ''],
    ])
    expect(reader.records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3])
    expect(Math.abs(Date.now() - (none?.timestamp ?? 0))).toBeLessThan(60_000)
  })

  test('records of one key are in one partition', async () => {
    const topic = await log().createTopic(8)
    const keys = ['a', 'b', 'c', 'd']
    for (let i = 0; i < 5; i++) {
      await log().sink.send(
        topic,
        keys.map((key) => ({ key, value: String(i) })),
      )
    }
    const reader = read(from(topic, {}))
    await reader.until(() => reader.records.length === 20)
    for (const key of keys) {
      const mine = reader.records.filter((each) => String(each.key) === key)
      expect(new Set(mine.map(({ partition }) => partition)).size).toBe(1)
      expect(mine.map(({ value }) => String(value))).toEqual(['0', '1', '2', '3', '4'])
    }
  })

  test('a record for a partition that is not there is refused', async () => {
    const topic = await log().createTopic(2)
    await expect(log().sink.send(topic, [record(2, 'a')])).rejects.toThrow(SourceUnavailable)
    await log().sink.send(topic, [record(1, 'b')])
    expect((await log().source.ranges(topic)).map(({ next }) => next)).toEqual([0, 1])
  })

  test('a partition that is added later is read from its first record', async () => {
    const topic = await log().createTopic(1)
    const reader = read(from(topic, { 0: 0 }))
    await reader.until(() => reader.state?.kind === 'reading')
    await log().addPartitions(topic, 3)
    const send = () => log().sink.send(topic, [record(2, 'first'), record(2, 'second')])
    await eventually(send)
    await log().sink.send(topic, [record(0, 'old')])
    await reader.until(() => reader.next(topic, 2) === 2 && reader.next(topic, 0) === 1)
    expect(reader.values(2)).toEqual(['first', 'second'])
    expect(reader.values(0)).toEqual(['old'])
  })

  test('one reader reads several topics, each in order', async () => {
    const topics = [await log().createTopic(1), await log().createTopic(2)] as const
    await log().sink.send(topics[0], [record(0, 'a'), record(0, 'b')])
    await log().sink.send(topics[1], [record(1, 'c')])
    const reader = read(new Map([...from(topics[0], { 0: 1 }), ...from(topics[1], { 0: 0, 1: 0 })]))
    await reader.until(() => reader.next(topics[0], 0) === 2 && reader.next(topics[1], 1) === 1)
    expect(reader.values(0)).toEqual(['b'])
    expect(reader.values(1)).toEqual(['c'])
  })

  test('every reader sees everything', async () => {
    const topic = await log().createTopic(3)
    const readers = [read(from(topic, {})), read(from(topic, {}))]
    const values = Array.from({ length: 60 }, (_, i) => String(i))
    for (const value of values) await log().sink.send(topic, [record(Number(value) % 3, value)])
    for (const reader of readers) {
      await reader.until(() => reader.records.length === values.length)
      expect(reader.records.map(({ value }) => String(value)).sort()).toEqual([...values].sort())
    }
  })

  test('a stopped reader is told nothing more, however much there is to read', async () => {
    const topic = await log().createTopic(1)
    const lines = Array.from({ length: 5_000 }, (_, i) => record(0, String(i)))
    await log().sink.send(topic, lines)
    const reader = read(from(topic, { 0: 0 }))
    await reader.until(() => reader.records.length > 0)
    const stopping = Date.now()
    await stop(reader)
    expect(Date.now() - stopping).toBeLessThan(5_000)
    const { calls } = reader
    await log().sink.send(topic, lines)
    expect(reader.calls).toBe(calls)
  })

  test('until a batch has been taken nothing more of its partition comes, and stopping waits for it', async () => {
    const topic = await log().createTopic(1)
    const stopping = new AbortController()
    const takes: (() => void)[] = []
    const values: string[] = []
    const told = Promise.withResolvers<void>()
    const reading = log().source.read(
      topic,
      new Map([[0, 0]]),
      {
        onBatch({ records }) {
          values.push(...records.map(({ value }) => String(value)))
          if (records.length === 0) return undefined
          told.resolve()
          return new Promise<void>((resolve) => takes.push(resolve))
        },
        onGap: (gap) => expect.unreachable(JSON.stringify(gap)),
        onState: () => {},
      },
      stopping.signal,
    )
    await log().sink.send(topic, [record(0, 'a')])
    await told.promise
    await log().sink.send(topic, [record(0, 'b')])
    // All that there is to do meanwhile, as far as another reader shows it.
    const other = read(from(topic, { 0: 0 }))
    await other.until(() => other.values(0).length === 2)
    expect(values).toEqual(['a'])
    takes.shift()?.()
    await until('the next batch came', () => values.length === 2)
    stopping.abort()
    let isStopped = false
    void reading.then(() => {
      isStopped = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(isStopped).toBe(false)
    takes.shift()?.()
    await reading
    expect(values).toEqual(['a', 'b'])
  })

  test('a reader that throws, which it must not, loses neither the process nor what comes after', async () => {
    const [bad, good] = [await log().createTopic(1), await log().createTopic(1)]
    await log().sink.send(bad, [record(0, 'x')])
    await log().sink.send(good, [record(0, 'x')])
    const stopping = new AbortController()
    const values: string[] = []
    const reader: Reader = {
      onBatch({ topic, records }) {
        for (const { value } of records) values.push(`${topic === bad ? 'bad' : 'good'} ${value}`)
        if (topic === bad) throw new Error('It cannot take this')
        return undefined
      },
      onGap: () => {},
      onState: () => {},
    }
    const start = new Map([[0, 0]])
    const reading = Promise.all([bad, good].map((topic) => log().source.read(topic, start, reader, stopping.signal)))
    await until('both were told', () => values.length === 2)
    await log().sink.send(bad, [record(0, 'y')])
    await log().sink.send(good, [record(0, 'y')])
    await until('both were told again', () => values.length === 4, WAIT_MS)
    expect(values.toSorted()).toEqual(['bad x', 'bad y', 'good x', 'good y'])
    stopping.abort()
    await reading
  })

  test('a reader that was stopped before it began reads nothing', async () => {
    const topic = await log().createTopic(1)
    await log().sink.send(topic, [record(0, 'a')])
    const calls: unknown[] = []
    const call = (told: unknown) => void calls.push(told)
    const reader = { onBatch: call, onGap: call, onState: call }
    await log().source.read(topic, new Map([[0, 0]]), reader, AbortSignal.abort())
    expect(calls).toEqual([])
  })

  test('records that retention took are a gap, and reading goes on at the oldest there is', async () => {
    const topic = await log().createTopic(2)
    await log().sink.send(
      topic,
      Array.from({ length: 10 }, (_, i) => record(0, String(i))),
    )
    await log().sink.send(topic, [record(1, 'kept')])
    await log().deleteRecords(topic, 0, 6)
    const reader = read(from(topic, { 0: 2, 1: 0 }))
    await reader.until(() => reader.next(topic, 0) === 10 && reader.next(topic, 1) === 1)
    expect(reader.gaps).toEqual([{ kind: 'gap', topic, partition: 0, from: 2, to: 6, reason: 'retention' }])
    expect(reader.values(0)).toEqual(['6', '7', '8', '9'])
    expect(reader.values(1)).toEqual(['kept'])
  })

  test('a position beyond the end of the log is a gap, and all that the log holds is read', async () => {
    const topic = await log().createTopic(1)
    await log().sink.send(topic, [record(0, 'a'), record(0, 'b')])
    const reader = read(from(topic, { 0: 100 }))
    await reader.until(() => reader.next(topic, 0) === 2)
    expect(reader.gaps).toEqual([{ kind: 'gap', topic, partition: 0, from: 100, to: 0, reason: 'truncation' }])
    expect(reader.values(0)).toEqual(['a', 'b'])
  })

  test('ranges tell what each partition holds, in order', async () => {
    const topic = await log().createTopic(12)
    await log().sink.send(topic, [record(10, 'a'), record(10, 'b'), record(2, 'c'), record(2, 'd')])
    await log().deleteRecords(topic, 2, 1)
    const ranges = await log().source.ranges(topic)
    const empty = { earliest: 0, next: 0 }
    const held: Record<number, object> = { 2: { earliest: 1, next: 2 }, 10: { earliest: 0, next: 2 } }
    expect(ranges).toEqual(Array.from({ length: 12 }, (_, partition) => ({ partition, ...(held[partition] ?? empty) })))
  })

  test('the offset at a moment is that of the first record then or later, or the end', async () => {
    const topic = await log().createTopic(2)
    const at = 1_700_000_000_000
    const timed = [0, 10, 10, 20].map((ms) => ({ ...record(0, String(ms)), timestamp: at + ms }))
    await log().sink.send(topic, timed)
    const offsetAt = async (ms: number) => [...(await log().source.offsetsAt(topic, ms))]
    expect(await offsetAt(at - 1)).toEqual([
      [0, 0],
      [1, 0],
    ])
    expect((await offsetAt(at))[0]).toEqual([0, 0])
    expect((await offsetAt(at + 1))[0]).toEqual([0, 1])
    expect((await offsetAt(at + 10))[0]).toEqual([0, 1])
    expect((await offsetAt(at + 11))[0]).toEqual([0, 3])
    expect((await offsetAt(at + 21))[0]).toEqual([0, 4])
    expect((await offsetAt(-1))[0]).toEqual([0, 0])
  })

  test('the offset at a moment is that of the first record then or later, whatever the order of timestamps', async () => {
    const topic = await log().createTopic(1)
    const at = 1_700_000_000_000
    for (const ms of [10, 0, 30, 20, 5, 40, 1]) {
      await log().sink.send(topic, [{ ...record(0, String(ms)), timestamp: at + ms }])
    }
    const offsetAt = async (ms: number) => (await log().source.offsetsAt(topic, at + ms)).get(0)
    expect(await Promise.all([0, 10, 11, 30, 31, 40, 41].map(offsetAt))).toEqual([0, 0, 2, 2, 5, 5, 7])
    await log().deleteRecords(topic, 0, 3)
    expect(await Promise.all([0, 20, 21, 41].map(offsetAt))).toEqual([3, 3, 5, 7])
  })

  test('a topic that is not there is unavailable, and worth another try', async () => {
    const { source, sink } = log()
    await expect(source.ranges('no-such-topic')).rejects.toThrow(SourceUnavailable)
    await expect(source.offsetsAt('no-such-topic', 0)).rejects.toThrow(SourceUnavailable)
    await expect(sink.send('no-such-topic', [record(0, 'a')])).rejects.toThrow(SourceUnavailable)
    const topic = await log().createTopic(1)
    await sink.send(topic, [record(0, 'a')])
    expect(await source.ranges(topic)).toEqual([{ partition: 0, earliest: 0, next: 1 }])
  })

  fetchContract(log, { runs })
}

/** Tries until it works: what one broker knows, another hears of a moment later. */
export async function eventually<T>(act: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}
