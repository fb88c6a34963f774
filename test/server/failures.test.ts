import { expect, onTestFinished, test } from 'vitest'
import { RefusalCounts } from '../../src/errors/refusal-counts.ts'
import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { ClientAddresses } from '../../src/server/client-address.ts'
import type { Endpoint } from '../../src/server/endpoint.ts'
import { createHttpServer } from '../../src/server/http-server.ts'
import { listen } from '../../src/server/listen.ts'
import { AnswerBudget } from '../../src/transport/answer-budget.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { SECRET, THROWN } from '../kit/thrown.ts'
import { until } from '../kit/until.ts'

/** A server whose endpoint fails as it is told to. */
async function startFailing(serve: Endpoint['serve']) {
  const { log, lines } = recordedLog()
  const endpoint = { serve } as Endpoint
  const addresses = new ClientAddresses([])
  const errors = new ResolverErrors(log)
  const answers = new AnswerBudget()
  const server = createHttpServer({
    endpoint,
    corsOrigins: [],
    addresses,
    answers,
    refusals: new RefusalCounts(),
    compresses: true,
    errors,
    log,
  })
  onTestFinished(() => void server.close().closeAllConnections())
  const fail = (error: unknown): never => {
    throw error
  }
  return { url: await listen(server, { host: '127.0.0.1', port: 0 }, fail), lines }
}

const FOR_NOBODY = THROWN.filter(({ what }) => !what.startsWith('a SluiceError'))

test.each(FOR_NOBODY)(
  '$what that a library throws is masked, logged once, and has the id of its request',
  async ({ make }) => {
    const { url, lines } = await startFailing(() => Promise.reject(make()))
    const answer = await RawStream.answer(`${url}/graphql`, { headers: { 'x-request-id': 'mine' } })
    expect([answer.status, answer.headers['x-request-id']]).toEqual([500, 'mine'])
    expect(answer.json).toEqual({
      errors: [{ message: 'Unexpected error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    })
    expect(lines).toMatchObject([{ msg: 'A request failed', requestId: 'mine', client: '127.0.0.1' }])
  },
)

test.each(FOR_NOBODY)(
  '$what that is thrown after the answer has begun cuts it, and is logged once',
  async ({ make }) => {
    const { url, lines } = await startFailing(async ({ response }) => {
      response.writeHead(200).write('begun')
      throw make()
    })
    const answer = await RawStream.send(`${url}/graphql`, { headers: { 'x-request-id': 'mine' } })
    await answer.untilEnd()
    await until('it is logged', () => lines.length > 0)
    expect(answer.received).not.toContain(SECRET)
    expect(lines).toMatchObject([{ msg: 'A request failed after its answer had begun', requestId: 'mine' }])
  },
)
