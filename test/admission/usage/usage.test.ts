import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OpenStream } from '../../../src/admission/open-stream.ts'
import { COUNTS, type Counts } from '../../../src/admission/usage/counts.ts'
import { ShownUsage } from '../../../src/admission/usage/shown-usage.ts'
import { Usage } from '../../../src/admission/usage/usage.ts'
import { UsageRecords } from '../../../src/admission/usage/usage-records.ts'
import type { OutgoingRecord, Sink } from '../../../src/streams/source/port.ts'
import { ANYBODY, anIdentity, anOwner } from '../../kit/admission.ts'
import { recordedLog, silentLog } from '../../kit/log-lines.ts'
import { Statistics } from '../../kit/statistics.ts'

interface Stream extends OpenStream {
  events: number
  bytesWritten: number
}

const ownerOf = (id: string) => anOwner({ identity: id === 'anonymous' ? ANYBODY : anIdentity({ id, kind: 'key' }) })

function setup({ isSent = true, isFailing = (): boolean => false, log = silentLog } = {}) {
  const clock = { now: 5_000 }
  const usage = new Usage({ isSent, now: () => clock.now, time: () => clock.now })
  const sent: OutgoingRecord[] = []
  const sink: Sink = {
    async send(_topic, records) {
      if (isFailing()) throw new Error('The log is away')
      sent.push(...records)
    },
    async close() {},
  }
  const options = {
    usage,
    sink: () => sink,
    topic: 'usage',
    instance: 'i',
    intervalMs: 3_600_000,
    log,
    time: () => clock.now,
  }
  const records = new UsageRecords(options)
  const open = (id: string): Stream => {
    const stream: Stream = {
      owner: ownerOf(id),
      transport: 'distinct',
      openedAt: clock.now,
      events: 0,
      bytesWritten: 0,
    }
    usage.opened(stream)
    return stream
  }
  return { clock, usage, records, sent, open }
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into it
const recordOf = ({ value }: OutgoingRecord): any => JSON.parse(String(value))

const IDS = ['anonymous', 'a', 'b', 'c']
const NAMES = ['opened', 'streamSeconds', 'events', 'bytes', 'queries'] as const

test('what records and metrics say together is what was used, each once, whatever is sent or fails when', async () => {
  const statistics = new Statistics('usage', ['opened', 'closed', 'sent', 'failed', 'shown by name', 'shown as others'])
  const acts = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('open' as const), id: fc.constantFrom(...IDS) }) },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), which: fc.nat(9), events: fc.nat(5) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('close' as const), which: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('query' as const), id: fc.constantFrom(...IDS) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(10_000) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('send' as const), fails: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('scrape' as const) }) },
    ),
    { minLength: 20, maxLength: 80, size: 'max' },
  )
  await fc.assert(
    fc.asyncProperty(acts, async (list) => {
      let fails = false
      const { clock, usage, records, sent, open } = setup({ isFailing: () => fails })
      const shown = new ShownUsage(usage, 2)
      const streams: Stream[] = []
      const used = new Map(IDS.map((id) => [id, { opened: 0, streamSeconds: 0, events: 0, bytes: 0, queries: 0 }]))
      const usedBy = (stream: Stream) => used.get(stream.owner.identity.principal.id) as Record<string, number>
      let before: Map<string, Counts> | undefined
      for (const act of list) {
        if (act.kind === 'open') {
          const stream = open(act.id)
          streams.push(stream)
          usedBy(stream).opened = (usedBy(stream).opened ?? 0) + 1
          statistics.count('opened')
        } else if (act.kind === 'wait') {
          clock.now += act.ms
          for (const stream of streams)
            usedBy(stream).streamSeconds = (usedBy(stream).streamSeconds ?? 0) + act.ms / 1_000
        } else if (act.kind === 'query') {
          usage.admitted(ownerOf(act.id), act.kind)
          usage.admitted(ownerOf(act.id), 'subscription')
          const counts = used.get(act.id) as { queries: number }
          counts.queries++
        } else if (act.kind === 'send') {
          fails = act.fails
          await records.send()
          statistics.count(fails ? 'failed' : 'sent')
          fails = false
        } else if (act.kind === 'scrape') {
          const now = new Map((await shown.read()).map(({ principal, counts }) => [principal, counts]))
          for (const [principal, counts] of before ?? [])
            for (const name of COUNTS)
              if (now.has(principal)) expect(now.get(principal)?.[name]).toBeGreaterThanOrEqual(counts[name])
          before = new Map([...(before ?? []), ...now])
        } else {
          const stream = streams[act.which % Math.max(1, streams.length)]
          if (!stream) continue
          if (act.kind === 'write') {
            stream.events += act.events
            stream.bytesWritten += act.events * 100 + 7
            const counts = usedBy(stream)
            counts.events = (counts.events ?? 0) + act.events
            counts.bytes = (counts.bytes ?? 0) + act.events * 100 + 7
          } else {
            streams.splice(streams.indexOf(stream), 1)
            usage.closed(stream)
            statistics.count('closed')
          }
        }
      }
      await records.close()
      const values = sent.map(recordOf)
      for (const id of IDS) {
        const own = values.filter(({ principal }) => principal === id)
        for (const name of NAMES) {
          const sum = own.reduce((all, value) => all + value[name], 0)
          expect(sum, `${name} of ${id}`).toBeCloseTo((used.get(id) as Record<string, number>)[name] ?? Number.NaN, 6)
        }
        // Each begins where the one before ended.
        for (const [index, { from }] of own.entries()) if (index > 0) expect(from >= own[index - 1].to).toBe(true)
      }
      // A principal that others have overtaken is among the others since.
      const last = await shown.read()
      statistics.count('shown by name', last.length - 1)
      statistics.count('shown as others', last.at(-1)?.counts.opened ?? 0)
      expect(last.length).toBeLessThanOrEqual(3)
      expect(last.reduce((sum, { streams: open_ }) => sum + open_, 0)).toBe(streams.length)
    }),
    { numRuns: 200 },
  )
  statistics.report()
})

describe('a record', () => {
  test('says who used what of which instance, from when to when', async () => {
    const { clock, usage, records, sent, open } = setup()
    const stream = open('acme')
    clock.now += 1_500
    Object.assign(stream, { events: 3, bytesWritten: 700 })
    usage.admitted(ownerOf('acme'), 'query')
    await records.send()
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({ key: 'acme', timestamp: 6_500 })
    expect(sent.map(recordOf)).toEqual([
      {
        principal: 'acme',
        kind: 'key',
        instance: 'i',
        from: new Date(5_000).toISOString(),
        to: new Date(6_500).toISOString(),
        streams: 1,
        opened: 1,
        streamSeconds: 1.5,
        events: 3,
        bytes: 700,
        queries: 1,
      },
    ])
    usage.closed(stream)
    await records.send()
    // Nothing is left to be said.
    await records.send()
    expect(sent).toHaveLength(1)
    await records.close()
  })

  test('that the log did not take is followed by one from the same moment that has all of it', async () => {
    const { log, lines } = recordedLog()
    let fails = true
    const { clock, usage, records, sent, open } = setup({ isFailing: () => fails, log })
    const stream = open('acme')
    stream.events = 3
    clock.now += 1_000
    await records.send()
    await records.send()
    expect([sent, lines.length]).toEqual([[], 1])
    expect(lines[0]).toMatchObject({ topic: 'usage', msg: 'Usage could not be sent: the next records have it' })
    fails = false
    stream.events = 5
    usage.closed(stream)
    clock.now += 1_000
    await records.close()
    expect(sent.map(recordOf)).toMatchObject([
      { from: new Date(5_000).toISOString(), events: 5, opened: 1, streams: 0 },
    ])
  })

  test('is sent at the end, also if one is on its way', async () => {
    const { usage, records, sent, open } = setup()
    const stream = open('acme')
    const first = records.send()
    stream.events = 1
    usage.closed(stream)
    await records.close()
    await first
    expect(sent.map(recordOf).reduce((sum, { events }) => sum + events, 0)).toBe(1)
  })

  test('is one for each principal, also of ten thousand, and what is beyond those is one for all', async () => {
    const { usage, records, sent } = setup()
    for (let n = 0; n < 30_000; n++) usage.admitted(ownerOf(`p${n}`), 'query')
    await records.send()
    const values = sent.map(recordOf)
    expect(values.length).toBeLessThan(20_000)
    expect(values.reduce((sum, { queries }) => sum + queries, 0)).toBe(30_000)
    expect(values.find(({ kind }) => kind === 'other')).toMatchObject({ principal: 'other' })
    expect(usage.tallies.bytes).toBeLessThanOrEqual(8 * 1024 * 1024)
    // Once they are sent, others have room.
    usage.admitted(ownerOf('later'), 'query')
    await records.send()
    expect(sent.at(-1)?.key).toBe('later')
    await records.close()
  })
})

describe('metrics', () => {
  test('name the principals with the most traffic, and count the others together', async () => {
    const { usage, open } = setup({ isSent: false })
    for (const [n, id] of ['a', 'b', 'c', 'd'].entries()) open(id).bytesWritten = (n + 1) * 100
    const shown = await new ShownUsage(usage, 2).read()
    expect(shown.map(({ principal, streams, counts }) => [principal, streams, counts.bytes])).toEqual([
      ['d', 1, 400],
      ['c', 1, 300],
      ['other', 2, 300],
    ])
  })

  test('do not take a principal for others, or for nobody', async () => {
    const { usage, open } = setup({ isSent: false })
    for (const id of ['other', 'anonymous']) open(id)
    const principal = anIdentity({ id: 'anonymous', kind: 'token' })
    usage.opened({
      owner: anOwner({ identity: principal }),
      transport: 'distinct' as const,
      openedAt: 0,
      events: 0,
      bytesWritten: 0,
    })
    const names = (await new ShownUsage(usage).read()).map((each) => each.principal)
    expect(new Set(names)).toEqual(new Set(['key:other', 'anonymous', 'token:anonymous', 'other']))
  })
})
