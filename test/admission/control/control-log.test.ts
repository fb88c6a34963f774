import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Control } from '../../../src/admission/control/control.ts'
import { type ControlEntry, controlKey, controlValue } from '../../../src/admission/control/control-entry.ts'
import { ControlLog, type ControlLogOptions } from '../../../src/admission/control/control-log.ts'
import { Decisions } from '../../../src/admission/control/decisions.ts'
import { createEmbeddedLog } from '../../../src/streams/source/embedded/embedded.ts'
import { SourceUnavailable } from '../../../src/streams/source/port.ts'
import { recordedLog, silentLog } from '../../kit/log-lines.ts'
import { Statistics } from '../../kit/statistics.ts'
import { until } from '../../kit/until.ts'

const TOPIC = 'sluice-control'

function aLog() {
  const embedded = createEmbeddedLog()
  onTestFinished(() => embedded.close())
  embedded.createTopic(TOPIC, 1)
  return embedded
}

type Embedded = ReturnType<typeof aLog>

interface Options extends Partial<Pick<ControlLogOptions, 'isRequired' | 'log'>> {
  readonly ensureTopic?: () => Promise<void>
}

/** An instance on the log: as of a gateway of its own. */
function anInstance(
  { source, sink }: Pick<Embedded, 'source' | 'sink'>,
  { ensureTopic = () => Promise.resolve(), ...more }: Options = {},
  maxEntries = 100,
) {
  const control = new Control({ maxEntries })
  const kafka = { ensureTopic, openSink: () => sink }
  const log = new ControlLog({ control, topic: TOPIC, source, kafka, isRequired: false, log: silentLog, ...more })
  onTestFinished(() => log.close())
  log.start()
  const keys = () => [...control.list].map(controlKey).sort()
  const decisions = new Decisions(control, log)
  return { control, log, keys, decisions, untilFollowing: () => until('it follows', () => log.isFollowing) }
}

let lastAt = 0

function decided(kind: ControlEntry['kind'], value: string, until?: number): ControlEntry {
  lastAt = Math.max(lastAt + 1, Date.now())
  return { kind, value, at: lastAt, until, reason: undefined }
}

const recordOf = (entry: ControlEntry) => ({ key: controlKey(entry), value: controlValue(entry) })

test('an instance knows what was decided before it started, and hears of what is decided by others', async () => {
  const log = aLog()
  await log.sink.send(TOPIC, [
    recordOf(decided('principal', 'acme')),
    recordOf(decided('token', 'undone')),
    recordOf(decided('key', 'over', Date.now() - 1)),
    { key: 'token:undone', value: null },
  ])
  const [one, other] = [anInstance(log), anInstance(log)]
  await Promise.all([one.untilFollowing(), other.untilFollowing()])
  expect(one.keys()).toEqual(['principal:acme'])
  expect(await one.decisions.take(decided('operation', 'Heavy'))).toBe(0)
  // In force at once, where it was decided.
  expect(one.keys()).toEqual(['operation:Heavy', 'principal:acme'])
  await until('the other has heard', () => other.keys().length === 2)
  await other.decisions.undo({ kind: 'principal', value: 'acme' })
  await until('both have heard', () => one.keys().length === 1 && other.keys().length === 1)
})

test('whoever decides what, and in whatever order, all instances come to know the same, and so does a new one', async () => {
  const statistics = new Statistics('Decisions of three instances', ['taken', 'undone', 'at once'])
  const step = fc.record({
    by: fc.nat(2),
    kind: fc.constantFrom('principal' as const, 'operation' as const),
    value: fc.constantFrom('a', 'b', 'c'),
    undo: fc.boolean(),
    /** The next one does not wait for it. */
    atOnce: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const log = aLog()
      const instances = [anInstance(log), anInstance(log), anInstance(log)]
      await Promise.all(instances.map(({ untilFollowing }) => untilFollowing()))
      const pending: Promise<unknown>[] = []
      for (const { by, kind, value, undo, atOnce } of steps) {
        const { decisions } = instances[by] as (typeof instances)[number]
        const done = undo ? decisions.undo({ kind, value }) : decisions.take(decided(kind, value))
        pending.push(done)
        statistics.count(undo ? 'undone' : 'taken')
        if (atOnce) statistics.count('at once')
        else await done
      }
      await Promise.all(pending)
      const last = decided('token', 'last')
      await log.sink.send(TOPIC, [recordOf(last)])
      await until('all have heard the last', () => instances.every(({ keys }) => keys().includes(controlKey(last))))
      const fresh = anInstance(log)
      await fresh.untilFollowing()
      for (const { keys } of instances) expect(keys()).toEqual(fresh.keys())
      for (const { log: reader } of [...instances, fresh]) await reader.close()
    }),
    { numRuns: 40 },
  )
  statistics.report()
})

test('a record that is no decision is counted, logged and skipped, and what was known stays in force', async () => {
  const log = aLog()
  const { log: logger, lines } = recordedLog()
  await log.sink.send(TOPIC, [recordOf(decided('principal', 'acme')), { key: null, value: 'x' }])
  const one = anInstance(log, { log: logger, isRequired: true })
  await one.untilFollowing()
  const bad = [
    { key: 'principal:acme', value: '{' },
    { key: 'principal:acme', value: Buffer.from([0x22, 0xff, 0x22]) },
    { key: 'principal:acme', value: JSON.stringify({ kind: 'principal', value: 'x'.repeat(20_000) }) },
    { key: 'nothing', value: null },
  ]
  await log.sink.send(TOPIC, [...bad, recordOf(decided('key', 'after'))])
  await until('it has read on', () => one.keys().length === 2)
  expect(one.keys()).toEqual(['key:after', 'principal:acme'])
  expect([one.log.stats, one.log.isFollowing]).toEqual([{ invalid: 5, overflowed: 0 }, true])
  const said = lines.filter(({ msg }) => msg === 'A record of the control topic is no decision')
  expect(said).toMatchObject([{ topic: TOPIC, offset: 1, reason: 'Its key is not of the form KIND:VALUE' }])
})

test('whatever bytes are on the topic, an instance reads on, and keeps what it knows', async () => {
  const statistics = new Statistics('Records of the control topic', ['invalid', 'in force'])
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom('principal:acme', 'token:', 'key:x', 'operation:X'),
    fc.constant(null),
  )
  const json = fc.object().map((object) => Buffer.from(JSON.stringify({ kind: 'key', value: 'x', ...object })))
  const record = fc.record({ key, value: fc.oneof(bytes, json) })
  const log = aLog()
  await log.sink.send(TOPIC, [recordOf(decided('principal', 'acme'))])
  const one = anInstance(log)
  await one.untilFollowing()
  let rounds = 0
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 50 }), async (records) => {
      const mark = decided('token', `round ${rounds++ % 2}`)
      await log.sink.send(TOPIC, [...records, recordOf(mark)])
      await until('it has read on', () => one.control.list.get(mark)?.at === mark.at)
      expect(one.keys()).toContain('principal:acme')
      expect(one.log.isFollowing).toBe(true)
    }),
    { numRuns: 200 },
  )
  statistics.count('invalid', one.log.stats.invalid)
  statistics.count('in force', one.control.list.size)
  statistics.report()
})

describe('an instance that does not know what is revoked', () => {
  const readyStreams = { ready: true } as const
  const denied = 'Kafka does not permit this user to create topics'

  test('is not ready and lets nobody in, if it authenticates; it tries again, and is', async () => {
    const log = aLog()
    await log.sink.send(TOPIC, [recordOf(decided('principal', 'acme'))])
    let isDenied = true
    const ensureTopic = async () => {
      if (isDenied) throw new SourceUnavailable(denied)
    }
    const one = anInstance(log, { isRequired: true, ensureTopic })
    expect(one.log.within(readyStreams)).toEqual({
      ready: false,
      reason: `Control topic "${TOPIC}": It is being loaded`,
      isFilling: true,
    })
    const reason = `Control topic "${TOPIC}": ${denied}`
    await until('it says why', () => JSON.stringify(one.log.within(readyStreams)).includes(denied))
    expect(one.log.within(readyStreams)).toEqual({ ready: false, reason, isFilling: false })
    expect(one.log.within({ ready: false, reason: 'Topic "orders": gone' })).toMatchObject({
      reason: `Topic "orders": gone; ${reason}`,
    })
    expect(one.control.isKnown).toBe(false)
    await expect(one.decisions.take(decided('key', 'k'))).rejects.toMatchObject({
      status: 503,
      message: expect.stringContaining('It is in force on this instance only'),
    })
    isDenied = false
    await one.untilFollowing()
    expect([one.control.isKnown, one.log.within(readyStreams)]).toEqual([true, readyStreams])
    // What it could not write is kept.
    expect(one.keys()).toEqual(['key:k', 'principal:acme'])
  })

  test('is ready with a note, if it does not authenticate', async () => {
    const ensureTopic = () => Promise.reject(new SourceUnavailable(denied))
    const one = anInstance(aLog(), { ensureTopic })
    expect(one.log.within(readyStreams)).toEqual(readyStreams)
    const note = `Control topic "${TOPIC}": ${denied}; what is known stays in force`
    await until('it says so', () => JSON.stringify(one.log.within({ ready: true, notes: ['x'] })).includes(denied))
    expect(one.log.within({ ready: true, notes: ['x'] })).toEqual({ ready: true, notes: ['x', note] })
    await expect(one.decisions.undo({ kind: 'key', value: 'k' })).rejects.toMatchObject({
      status: 503,
      message: `It stays in force, since it could not be written to the control topic: There is no control topic "${TOPIC}": ${denied}`,
    })
  })

  test('since there are more decisions than it holds, is not ready; one that has been loaded goes on, and says so', async () => {
    const log = aLog()
    const two = anInstance(log, { isRequired: true }, 2)
    await two.untilFollowing()
    await log.sink.send(
      TOPIC,
      ['a', 'b', 'c'].map((value) => recordOf(decided('key', value))),
    )
    await until('the third was counted', () => two.log.stats.overflowed === 1)
    expect([two.keys(), two.log.isFollowing]).toEqual([['key:a', 'key:b'], true])
    await expect(two.decisions.take(decided('key', 'd'))).rejects.toMatchObject({ status: 507 })
    const fresh = anInstance(log, { isRequired: true }, 2)
    const why = 'It has 1 decisions more than this instance holds'
    await until('it says why', () => JSON.stringify(fresh.log.within(readyStreams)).includes(why))
    expect(fresh.control.isKnown).toBe(false)
  })
})

test('trouble after the start is a note: what is known stays in force, and the next decision is heard of', async () => {
  const log = aLog()
  await log.sink.send(TOPIC, [recordOf(decided('key', 'a'))])
  const one = anInstance(log, { isRequired: true })
  await one.untilFollowing()
  one.log.onState({ kind: 'waiting', reason: 'No leader' })
  expect(one.log.within({ ready: true })).toEqual({
    ready: true,
    notes: [`Control topic "${TOPIC}": No leader; what is known stays in force`],
  })
  expect([one.log.isFollowing, one.control.isKnown, one.keys()]).toEqual([false, true, ['key:a']])
  one.log.onState({ kind: 'reading' })
  expect(one.log.within({ ready: true })).toEqual({ ready: true })
  await log.sink.send(TOPIC, [recordOf(decided('key', 'b'))])
  await until('it is heard of', () => one.keys().length === 2)
})

test('after a gap the topic is loaded again: what was undone meanwhile is, and what was not written stays', async () => {
  const log = aLog()
  await log.sink.send(TOPIC, [recordOf(decided('key', 'a')), recordOf(decided('key', 'b'))])
  let fails = false
  const sink: Embedded['sink'] = {
    ...log.sink,
    send: (...args) => (fails ? Promise.reject(new SourceUnavailable('No')) : log.sink.send(...args)),
  }
  const one = anInstance({ source: log.source, sink })
  await one.untilFollowing()
  fails = true
  await expect(one.decisions.take(decided('key', 'local'))).rejects.toMatchObject({ status: 503 })
  expect(one.keys()).toEqual(['key:a', 'key:b', 'key:local'])
  // As if compaction had taken it, with its tombstone.
  log.deleteRecords(TOPIC, 0, 1)
  one.log.onGap()
  await until('it was loaded again', () => !one.keys().includes('key:a'))
  expect(one.keys()).toEqual(['key:b', 'key:local'])
  await one.untilFollowing()
  fails = false
  await one.decisions.undo({ kind: 'key', value: 'local' })
  await until('it is undone', () => one.keys().length === 1)
  one.log.onGap()
  await log.sink.send(TOPIC, [recordOf(decided('key', 'c'))])
  await until('it reads on', () => one.keys().includes('key:c'))
  expect(one.keys()).toEqual(['key:b', 'key:c'])
})

test('a batch of many records is taken over several turns, in order', async () => {
  const log = aLog()
  const one = anInstance(log, {}, 2_000)
  await one.untilFollowing()
  const records = Array.from({ length: 1_000 }, (_, index) => recordOf(decided('token', `t${index}`)))
  const tombstones = records.slice(0, 999).map(({ key }) => ({ key, value: null }))
  await log.sink.send(TOPIC, [...records, ...tombstones])
  await until('all were taken', () => one.keys().length === 1)
  expect(one.keys()).toEqual(['token:t999'])
})
