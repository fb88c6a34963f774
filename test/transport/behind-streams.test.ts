import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTestGateway } from '../kit/gateway.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { until } from '../kit/until.ts'
import { probeSchema } from './probe-schema.ts'
import { SingleClient } from './single/client.ts'

// What nobody catches ends the process.
const uncaught: unknown[] = []
const keep = (error: unknown) => uncaught.push(error)
beforeEach(() => {
  uncaught.length = 0
  process.on('uncaughtException', keep)
})
afterEach(() => {
  process.off('uncaughtException', keep)
})

const body = JSON.stringify({ query: 'subscription { orderIds }' })
const STREAMS = {
  'by GET': () => `GET /graphql?query=${encodeURIComponent('subscription { orderIds }')} HTTP/1.1\r\n`,
  'by POST': () => 'POST /graphql HTTP/1.1\r\ncontent-type: application/json\r\n',
  'in single connection mode': (token: string) => `GET /graphql HTTP/1.1\r\nx-graphql-event-stream-token: ${token}\r\n`,
} as const
const BEHIND = {
  'the same again': (token: string) => `GET /graphql HTTP/1.1\r\nhost: x\r\nx-graphql-event-stream-token: ${token}\r\n`,
  'a mutation': () =>
    `GET /graphql?query=${encodeURIComponent('mutation { shout(text: "x") }')} HTTP/1.1\r\nhost: x\r\n`,
  'a reservation': () => 'PUT /graphql HTTP/1.1\r\nhost: x\r\n',
  'an unknown path': () => 'GET /x HTTP/1.1\r\nhost: x\r\n',
  'a preflight': () => 'OPTIONS /graphql HTTP/1.1\r\nhost: x\r\norigin: http://x\r\n',
  'what Node itself refuses': () => 'GET /graphql HTTP/1.1\r\n',
  'an expectation that Node itself refuses': () => 'GET /graphql HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\n',
  'an expectation that Node itself grants': () => 'PUT /graphql HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n',
  'what is no HTTP': () => 'GET\r\n',
} as const
/** Node reads heads of more than 32 headers in pieces, and runs microtasks between them. */
const HEADERS = [0, 20, 31, 32, 33, 64, 200]

test.each(Object.keys(STREAMS) as (keyof typeof STREAMS)[])(
  'whatever follows a stream in one packet, however long its head, nothing of an answer is written into it (%s)',
  async (first) => {
    const probe = probeSchema()
    const gateway = await startTestGateway({ schema: probe.schema })
    const outcomes = { ended: 0, 'went on': 0 }
    for (const [behind, head] of Object.entries(BEHIND)) {
      for (const headers of HEADERS) {
        const { token } = await SingleClient.reserve(gateway.graphql)
        const accept = 'host: x\r\naccept: text/event-stream\r\n'
        const length = first === 'by POST' ? `content-length: ${body.length}\r\n\r\n${body}` : '\r\n'
        const long = Array.from({ length: headers }, (_, i) => `x-${i}: v\r\n`).join('')
        const stream = await RawStream.write(
          gateway.graphql,
          `${STREAMS[first](token)}${accept}${length}${head(token)}${long}\r\n`,
        )
        await until('it is open, or has ended', () => stream.ended || stream.received.includes('retry:'))
        // An answer behind it would be there before that of a request that comes later.
        await RawStream.answer(gateway.graphql, { method: 'POST', body: { query: '{ hello }' } })
        const heads = stream.received.split('HTTP/1.1').length - 1
        expect(heads, `${behind}, ${headers} headers: ${stream.received}`).toBeLessThanOrEqual(1)
        expect(stream.ended || heads === 1).toBe(true)
        outcomes[stream.ended ? 'ended' : 'went on']++
        await stream.close()
        expect(uncaught, `${behind}, ${headers} headers`).toEqual([])
      }
    }
    expect(probe.shouts).toBe(0)
    console.log(first, outcomes)
    await until('nothing is left', async () => (await gateway.metric('sluice_streams')) === 0)
  },
)
