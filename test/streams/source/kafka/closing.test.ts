import { expect, onTestFinished, test } from 'vitest'
import { createKafka } from '../../../../src/streams/source/kafka/kafka.ts'
import { SourceUnavailable } from '../../../../src/streams/source/port.ts'
import { silentServer } from '../../../kit/bad-brokers.ts'
import { expectNothingUncaught } from '../../../kit/uncaught.ts'
import { until } from '../../../kit/until.ts'

expectNothingUncaught()

test.each([1, 2, 3])(
  'a close while silent seeds are asked rejects the question, and asks no further one: %i of 3 asked',
  async (asked) => {
    const seeds = await Promise.all([silentServer(), silentServer(), silentServer()])
    onTestFinished(async () => void (await Promise.all(seeds.map((seed) => seed.close()))))
    const brokers = seeds.map(({ address }) => address)
    const kafka = createKafka({ brokers, clientId: 'closing', log: () => {} })
    const answer = kafka.source.ends('orders').catch((error: unknown) => error)
    const asking = () => seeds.filter(({ received }) => received > 0).length
    await until(`${asked} of the seeds are asked`, () => asking() >= asked)
    const before = asking()
    await kafka.close()
    expect(await answer).toBeInstanceOf(SourceUnavailable)
    expect(asking()).toBe(before)
  },
)
