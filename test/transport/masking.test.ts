import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { RateLimit } from '../../src/errors/rate-limit.ts'
import { startTestGateway, type TestGateway } from '../kit/gateway.ts'
import { recordedLog } from '../kit/log-lines.ts'
import { RawStream } from '../kit/raw-stream.ts'
import { SECRET, THROWN } from '../kit/thrown.ts'
import { until } from '../kit/until.ts'
import { PLACES, type Place, throwingSchema } from './throwing-schema.ts'

const INTERNALS = new RegExp(`${SECRET}|node_modules|\\.ts:\\d|\\bat \\S+ \\(|stack`)

/** GraphQL's own errors have no code; one that a scalar throws for a value is such an error. */
const SCALARS_OWN = /^a GraphQLError(| with a path| with other extensions| that wraps itself)$/
/** What graphql-js says of a value for which a scalar gives nothing. */
const NOTHING = /^(undefined|null)$/

// One line for each failure, so that a second one is seen: the limit of lines has tests of its own.
beforeEach(() => {
  vi.spyOn(RateLimit.prototype, 'tell').mockImplementation((warn) => warn(0))
  onTestFinished(() => void vi.restoreAllMocks())
})

let requests = 0

async function ask(gateway: TestGateway, place: Place, accept: string): Promise<{ text: string; results: unknown[] }> {
  const { variables, needsEvent } = place
  // A refusal is kept for its text, and what a literal throws is another thing each time.
  const body = { query: `${place.query} # ${++requests}`, variables }
  const answer = await RawStream.send(gateway.graphql, { method: 'POST', headers: { accept }, body })
  if (needsEvent) {
    await answer.untilBlocks(1)
    await gateway.produce({ region: 'EUROPE' })
    await answer.untilResults(1)
    await answer.close()
  } else {
    await answer.untilWhole()
  }
  expect(answer.status, answer.received).toBeLessThan(500)
  return { text: answer.body, results: accept === 'text/event-stream' ? answer.results : [answer.json] }
}

test.each(PLACES)('what $where throws is masked and logged once, or goes out as it was meant', async (place) => {
  const { log, lines } = recordedLog()
  const throwing = throwingSchema()
  const gateway = await startTestGateway({ schema: throwing.schema, log })
  await gateway.produce({ region: 'EUROPE' })
  const isSubscription = place.query.startsWith('subscription')
  const ways = isSubscription ? ['text/event-stream'] : ['application/json', 'text/event-stream']
  for (const { what, make, code } of THROWN) {
    throwing.thrown = make
    for (const accept of ways) {
      lines.length = 0
      const { text, results } = await ask(gateway, place, accept)
      const failed = results.filter((each) => (each as { errors?: unknown }).errors)
      expect(failed, what).toHaveLength(1)
      const [error] = (failed[0] as { errors: { extensions: { code: string } }[] }).errors
      const isRefused = place.isInput && (SCALARS_OWN.test(what) || NOTHING.test(what))
      expect(error?.extensions.code, `${what}: ${text}`).toBe(
        isRefused
          ? place.where === 'parseValue'
            ? 'BAD_USER_INPUT'
            : 'GRAPHQL_VALIDATION_FAILED'
          : (code ?? 'INTERNAL_SERVER_ERROR'),
      )
      if (!(isRefused && SCALARS_OWN.test(what))) expect(text, what).not.toMatch(INTERNALS)
      const failures = () => lines.filter(({ level }) => level >= 50)
      if (code || isRefused) expect(failures(), what).toEqual([])
      else await until('the failure is logged', () => failures().length > 0)
      if (code || isRefused) continue
      expect(failures(), what).toHaveLength(1)
      if (!place.needsEvent) expect(failures()[0], what).toMatchObject({ requestId: expect.any(String) })
    }
  }
})
