/** Records that are hard to take: stamped beyond what a cursor can say, no orders at all, or very many at once. */
import { TIMESTAMPS } from '../feed.ts'
import { type Attack, subscription } from './attack.ts'

const BURST = 60_000

export const stampedRecords: Attack = {
  name: 'records stamped in microseconds and beyond',
  async run(target) {
    const timestamps = target.random.shuffled(TIMESTAMPS)
    for (let i = 0; !target.signal.aborted; i++) {
      await target.stamped(timestamps[i % timestamps.length] as number)
      target.count('records')
      await target.pause(20)
      // A new stream names the position just behind such a record.
      if (i % 5 === 4)
        await target.ask(subscription('subscription { ordersByRegion(region: OCEANIA, last: 3) { id } }'))
    }
  },
}

export const poison: Attack = {
  name: 'records that are no orders',
  async run(target) {
    const { random } = target
    while (!target.signal.aborted) {
      const values = Array.from({ length: 50 }, () =>
        random.pick([
          null,
          '',
          '{',
          'null',
          '[]',
          '"text"',
          '\xff\xfe\x80',
          '{"id":1}',
          '{"__proto__":{"id":"x"}}',
          '{"then":1,"toJSON":2}',
          '['.repeat(20_000),
          `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
          'x'.repeat(300_000),
        ]),
      )
      await target.raw(values)
      target.count('records', values.length)
      await target.pause(30)
    }
  },
}

export const bursts: Attack = {
  name: 'a batch of 60,000 records',
  async run(target) {
    await target.burst(BURST)
    target.count('records', BURST)
  },
}

/** Nothing in 60,000 records of the window matches, or all of them do. */
export const scans: Attack = {
  name: 'starts far in the past',
  async run(target) {
    const { random } = target
    while (!target.signal.aborted) {
      const since = new Date(Date.now() - random.int(3_600_000)).toISOString()
      const start = random.pick(['last: 10000', `since: "${since}"`, `since: "1970-01-01T00:00:00Z"`])
      const field = random.pick([
        `ordersByMerchant(merchantId: "nobody", ${start})`,
        `ordersByMerchant(merchantId: "m_7", ${start})`,
        `ordersByRegion(region: SOUTH_AMERICA, ${start})`,
      ])
      await target.ask(subscription(`subscription { ${field} { id city } }`))
    }
  },
}
