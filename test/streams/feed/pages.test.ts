import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Gap, RawRecord } from '../../../src/streams/event.ts'
import { Candidates } from '../../../src/streams/feed/candidates.ts'
import { PAGE_OFFSETS, type Page, Pages } from '../../../src/streams/feed/pages.ts'
import { type FetchedRecords, type Source, SourceUnavailable } from '../../../src/streams/source/port.ts'
import { type Paint, paints, recordOf } from '../../kit/feeds.ts'
import { Statistics } from '../../kit/statistics.ts'

/** One partition as a list of records, and what was fetched of it. */
class ListedSource {
  readonly records: RawRecord[] = []
  earliest = 0
  next = 0
  /** What the live reader wants next. */
  read = Number.POSITIVE_INFINITY
  fetches = 0
  /** Most that a fetch brings, whatever it is asked for; one record at least. */
  fetchRecords = Number.POSITIVE_INFINITY
  /** Fetches that fail before one succeeds again. */
  failures = 0
  most = 0
  #underWay = 0

  append(count: number, hole = 0): void {
    for (let i = 0; i < count; i++) {
      this.next += hole
      this.records.push(recordOf(0, this.next, { n: this.next, color: 'red' }))
      this.next++
    }
  }

  retain(earliest: number): void {
    this.earliest = earliest
  }

  readonly fetch: Source['fetch'] = async (_topic, partition, offset): Promise<FetchedRecords> => {
    this.fetches++
    this.most = Math.max(this.most, ++this.#underWay)
    await new Promise((resolve) => setImmediate(resolve))
    this.#underWay--
    if (this.failures > 0) {
      this.failures--
      throw new SourceUnavailable('Not now')
    }
    const { earliest, next } = this
    if (offset < earliest || offset > next) return { kind: 'out_of_range', range: { partition, earliest, next } }
    const records = this.records.filter((record) => record.offset >= offset).slice(0, this.fetchRecords)
    const isAll = records.length < this.fetchRecords
    const last = records.at(-1)
    return { kind: 'records', records, nextOffset: isAll || !last ? next : last.offset + 1, endOffset: next }
  }

  pages(): Pages<Paint> {
    const { signal } = new AbortController()
    return new Pages({ topic: paints, source: { fetch: this.fetch } as Source, signal, headOf: () => this.read })
  }
}

/** All that a reader gets from an offset on, up to the end of the log. */
async function readAll(pages: Pages<Paint>, from: number, end: () => number) {
  const numbers: number[] = []
  const gaps: Gap[] = []
  let at = from
  while (at < end()) {
    const found: Page<Paint> | Gap | undefined = await pages.patiently(0, at, () => true)
    if (!found) throw new Error('It was wanted')
    if (found.kind === 'gap') {
      gaps.push(found)
      at = found.to
      continue
    }
    expect(found.from).toBeLessThanOrEqual(at)
    expect(found.next).toBeGreaterThan(at)
    for (const { offset, value } of found.events) if (offset >= at) numbers.push(value.n)
    at = found.next
  }
  return { numbers, gaps }
}

const numbersOf = (source: ListedSource, from: number) =>
  source.records.map(({ offset }) => offset).filter((offset) => offset >= Math.max(from, source.earliest))

test('pages hold what a plain list holds, however it is cut into fetches, with holes, from anywhere', async () => {
  const statistics = new Statistics('pages', ['read', 'from within a page', 'over a long hole', 'in small fetches'])
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ count: fc.integer({ min: 1, max: 700 }), hole: fc.constantFrom(0, 0, 1, 3000) }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      fc.constantFrom(7, 300, Number.POSITIVE_INFINITY),
      async (parts, starts, fetchRecords) => {
        const source = new ListedSource()
        for (const { count, hole } of parts) {
          source.append(1, hole)
          source.append(count - 1, hole === 3000 ? 0 : hole)
        }
        source.fetchRecords = fetchRecords
        const pages = source.pages()
        for (const start of starts) {
          const from = start % source.next
          const { numbers, gaps } = await readAll(pages, from, () => source.next)
          expect(numbers).toEqual(numbersOf(source, from))
          expect(gaps).toEqual([])
          statistics.count('read', numbers.length)
          if (from % PAGE_OFFSETS !== 0) statistics.count('from within a page')
        }
        if (parts.some(({ hole }) => hole === 3000)) statistics.count('over a long hole')
        if (fetchRecords === 7) statistics.count('in small fetches')
      },
    ),
    { numRuns: 40 },
  )
  statistics.report()
})

test('a thousand readers near each other cost few fetches, never more than four of them at once', async () => {
  const source = new ListedSource()
  source.append(3 * PAGE_OFFSETS)
  source.fetchRecords = PAGE_OFFSETS
  const pages = source.pages()
  const reads = Array.from({ length: 1000 }, (_, i) => readAll(pages, i * 3, () => source.next))
  const results = await Promise.all(reads)
  const lengths = results.map(({ numbers }) => numbers.length)
  expect(lengths).toEqual(results.map((_, i) => source.next - i * 3))
  expect(source.fetches).toBeLessThanOrEqual(9)
  expect(source.most).toBeLessThanOrEqual(4)
})

test('a page whose end was the end of the log is read on when there is more', async () => {
  const source = new ListedSource()
  source.append(10)
  const pages = source.pages()
  expect((await readAll(pages, 0, () => source.next)).numbers).toHaveLength(10)
  source.append(10)
  expect((await readAll(pages, 5, () => source.next)).numbers).toEqual(numbersOf(source, 5))
})

test('retention that passes a reader is told as the gap from where it was, and it goes on from what is left', async () => {
  const source = new ListedSource()
  source.append(3 * PAGE_OFFSETS)
  source.fetchRecords = 100
  const pages = source.pages()
  const first = await pages.page(0, 10)
  expect(first).toMatchObject({ kind: 'page', from: 0 })
  source.retain(2000)
  const { numbers, gaps } = await readAll(pages, PAGE_OFFSETS + 3, () => source.next)
  expect(gaps).toEqual([
    { kind: 'gap', topic: 'paints', partition: 0, from: PAGE_OFFSETS + 3, to: 2000, reason: 'retention' },
  ])
  expect(numbers).toEqual(numbersOf(source, 2000))
})

test('what the log does not reach is not there yet, until the live reader finds that it was truncated', async () => {
  const source = new ListedSource()
  source.append(20)
  source.retain(5)
  const pages = source.pages()
  expect(await pages.page(0, 25)).toMatchObject({ kind: 'page', from: 25, next: 25, events: [] })
  source.append(10)
  expect(await pages.page(0, 25)).toMatchObject({ kind: 'page', from: 5, next: 30 })
})

test('a page ends where the live reader had read up to before it was fetched, and is read on when that has', async () => {
  const source = new ListedSource()
  source.append(20)
  const pages = source.pages()
  source.read = 12
  const asked = pages.page(0, 5)
  source.read = 16
  const page = (await asked) as Page<Paint>
  expect([page.from, page.next, page.events.length]).toEqual([0, 12, 12])
  expect((await readAll(pages, 5, () => source.read)).numbers).toEqual(numbersOf(source, 5).slice(0, 11))
  expect(await pages.page(0, 16)).toMatchObject({ kind: 'page', next: 16 })
})

test('where nobody asked for the part of a page that retention took, there is no gap', async () => {
  const source = new ListedSource()
  source.append(PAGE_OFFSETS)
  source.retain(500)
  const { numbers, gaps } = await readAll(source.pages(), 600, () => source.next)
  expect(gaps).toEqual([])
  expect(numbers).toEqual(numbersOf(source, 600))
})

test('after a restart nothing is served that was read before it, not even what was on its way', async () => {
  const source = new ListedSource()
  source.append(10)
  const pages = source.pages()
  await pages.page(0, 0)
  source.append(PAGE_OFFSETS)
  const onItsWay = pages.page(0, PAGE_OFFSETS)
  source.records.length = 0
  source.next = 0
  source.append(PAGE_OFFSETS + 5, 0)
  for (const record of source.records) {
    Object.assign(record, { value: Buffer.from(JSON.stringify({ n: -record.offset, color: 'blue' })) })
  }
  pages.restart()
  const late = (await onItsWay) as Page<Paint>
  expect(late.events.every(({ value }) => value.color === 'blue')).toBe(true)
  const again = (await pages.page(0, 0)) as Page<Paint>
  expect(again.events.map(({ value }) => value.color)).toEqual(new Array(PAGE_OFFSETS).fill('blue'))
})

test('a source that fails for a while is asked again, at most once in a while', async () => {
  const source = new ListedSource()
  source.append(10)
  source.failures = 2
  const { numbers } = await readAll(source.pages(), 3, () => source.next)
  expect(numbers).toEqual(numbersOf(source, 3))
  expect(source.fetches).toBe(3)
})

test('who does not want a page any more is not read for', async () => {
  const source = new ListedSource()
  source.append(10)
  source.failures = 1
  let wanted = true
  const asked = source.pages().patiently(0, 0, () => wanted)
  wanted = false
  expect(await asked).toBeUndefined()
  expect(source.fetches).toBe(1)
})

test('who looks for some events of a page that another has searched finds them by postings, which count in the cache', async () => {
  const source = new ListedSource()
  source.append(1500)
  const [listed] = source.records.splice(700, 1, recordOf(0, 700, { n: 700, color: 'green', size: 'L' }))
  expect(listed?.offset).toBe(700)
  const pages = source.pages()
  const page = await pages.page(0, 0)
  if (page.kind !== 'page') throw new Error('It is there')
  const { bytes } = pages
  pages.lookUpIn(page)
  expect([page.postings, pages.bytes]).toEqual([undefined, bytes])
  // What is in the cache no more is not searched by others.
  const copy = { ...page }
  for (let time = 0; time < 3; time++) pages.lookUpIn(copy)
  expect(copy.postings).toBeUndefined()
  pages.lookUpIn(page)
  const green = new Candidates<Paint>(paints, { color: 'green' })
  expect(green.next(page.postings, 0, page.events.length)).toBe(700)
  expect(green.next(page.postings, 701, page.events.length)).toBe(page.events.length)
  const { bytes: withPostings } = pages
  expect(withPostings - bytes).toBeGreaterThan(2 * 24 * PAGE_OFFSETS)
  expect(withPostings - bytes).toBeLessThan(2 * 25 * PAGE_OFFSETS)
  pages.lookUpIn(page)
  expect(pages.bytes).toBe(withPostings)
  expect(await pages.page(0, 0)).toBe(page)
  pages.restart()
  expect(pages.bytes).toBe(0)
})
