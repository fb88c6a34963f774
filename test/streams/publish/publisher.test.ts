import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { SluiceError } from '../../../src/errors/codes.ts'
import { Feed } from '../../../src/streams/feed/feed.ts'
import { Publisher } from '../../../src/streams/publish/publisher.ts'
import { type OutgoingRecord, type Sink, SourceUnavailable } from '../../../src/streams/source/port.ts'
import { defineTopic } from '../../../src/streams/topic/topic.ts'
import { batchOf, ROOMY, recordOf } from '../../kit/feeds.ts'
import { silentLog } from '../../kit/log-lines.ts'
import { Statistics } from '../../kit/statistics.ts'

const Note = z.object({ id: z.string(), room: z.string(), text: z.string() })
const notes = defineTopic('notes', { schema: Note, key: 'room', index: ['room'] })

/** What becomes of a send: `lost` is appended, and its acknowledgement does not come. */
type Fate = 'taken' | 'lost' | 'failed'

/** A log of one partition, and instances that read it only when they have asked for its end. */
class World {
  readonly log: OutgoingRecord[] = []
  readonly instances: Publisher[]
  fate: Fate = 'taken'

  constructor(count: number) {
    this.instances = Array.from({ length: count }, (_, n) => this.#instance(`instance ${n}`))
  }

  get texts(): string[] {
    return this.log.map(({ value }) => JSON.parse(String(value)).text)
  }

  #instance(origin: string): Publisher {
    const feed = new Feed(notes, { limits: ROOMY, log: silentLog, epoch: 1 })
    feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
    const read = (end: number) => {
      for (let at = feed.head[0] as number; at < end; at++) {
        const { value, headers } = this.log[at] as OutgoingRecord
        const record = { ...recordOf(0, at, Buffer.from(String(value))), headers }
        void feed.onBatch(batchOf(0, [record]))
      }
    }
    const sink: Sink = {
      send: async (_topic, records) => {
        await new Promise((resolve) => setImmediate(resolve))
        if (this.fate !== 'failed') this.log.push(...records)
        if (this.fate !== 'taken') throw new SourceUnavailable('No answer')
      },
      close: async () => {},
    }
    const ends = async () => {
      const end = this.log.length
      setImmediate(() => read(end))
      return new Map([[0, end]])
    }
    return new Publisher({ sink, feed: () => feed as never, ends, origin })
  }

  async publish(instance: number, key: string, text: string): Promise<string> {
    const value = ({ id }: { id: string }) => ({ id, room: 'r', text })
    const request = { topic: notes, field: 'write', principal: 'key acme', idempotencyKey: key, args: { text }, value }
    try {
      return `event ${(await (this.instances[instance] as Publisher).publish(request)).value.text}`
    } catch (error) {
      if (error instanceof SluiceError) return error.code
      throw error
    }
  }
}

test('a repeat waits until its instance has read what the log has, and finds the event there', async () => {
  const world = new World(2)
  expect(await world.publish(0, 'k', 'a')).toBe('event a')
  expect(await world.publish(1, 'k', 'a')).toBe('event a')
  expect(world.texts).toEqual(['a'])
})

test('while it is not known whether a key was used, nothing is published with it', async () => {
  const world = new World(1)
  const feed = new Feed(notes, { limits: ROOMY, log: silentLog, epoch: 1 })
  const send = async () => expect.unreachable()
  const options = { sink: { send, close: async () => {} }, feed: () => feed as never, origin: 'new' }
  world.instances[0] = new Publisher({ ...options, ends: async () => new Map() })
  expect(await world.publish(0, 'k', 'a')).toBe('NOT_READY')
  feed.begin([{ partition: 0, earliest: 0, next: 0 }], new Map([[0, 0]]))
  const ends = async () => {
    throw new SourceUnavailable('The log is away')
  }
  world.instances[0] = new Publisher({ ...options, ends })
  expect(await world.publish(0, 'k', 'a')).toBe('NOT_READY')
})

test('whatever the log does, and at whichever instance it is repeated, a key is one event in the end', async () => {
  const statistics = new Statistics('publications', [
    'lost',
    'failed',
    'repeated',
    'elsewhere',
    'at once',
    'other input',
  ])
  const step = fc.record({
    instance: fc.nat({ max: 1 }),
    key: fc.constantFrom('k', 'l'),
    text: fc.constantFrom('a', 'b'),
    fate: fc.constantFrom<Fate>('taken', 'lost', 'failed'),
    times: fc.nat({ max: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const world = new World(2)
      /** By key the text of the first event that is in the log, and where it was published. */
      const published = new Map<string, { text: string; instance: number }>()
      for (const { instance, key, text, fate, times } of steps) {
        world.fate = fate
        const before = published.get(key)
        const answers = await Promise.all(Array.from({ length: times + 1 }, () => world.publish(instance, key, text)))
        // Those that came together have one outcome.
        expect(new Set(answers).size).toBe(1)
        if (times > 0) statistics.count('at once')
        if (before) {
          expect(answers[0]).toBe(before.text === text ? `event ${text}` : 'BAD_USER_INPUT')
          statistics.count(
            before.text !== text ? 'other input' : before.instance === instance ? 'repeated' : 'elsewhere',
          )
          continue
        }
        expect(answers[0]).toBe(fate === 'taken' ? `event ${text}` : 'PUBLISH_UNCONFIRMED')
        if (fate !== 'taken') statistics.count(fate)
        if (fate !== 'failed') published.set(key, { text, instance })
      }
      expect(world.texts).toEqual([...published.values()].map(({ text }) => text))
    }),
  )
  statistics.report()
})
