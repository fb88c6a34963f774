/** Hostile clients, in this process: they do what they can, as often as they can, until they are stopped. */
import { type IncomingMessage, request } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Attempts of each kind under way at once, by each of the hostile. */
const AT_ONCE = 2
const FIELDS = Array.from({ length: 900 }, (_, field) => `f${field}: __typename`).join(' ')

interface Way {
  /** Its streams are kept open. */
  readonly isKept: boolean
  readonly queryOf: (n: number) => string
}

const WAYS: readonly Way[] = [
  // Streams that are closed at once.
  { isKept: false, queryOf: () => 'subscription { ordersByRegion(region: ASIA) { id } }' },
  // Filters of which no two are equal.
  { isKept: true, queryOf: (n) => `subscription { ordersByMerchant(merchantId: "m_${n}") { id } }` },
  // Streams of all of the past.
  {
    isKept: true,
    queryOf: () => 'subscription { orders(since: "2020-01-01T00:00:00Z") { id city total { amount } } }',
  },
  // Documents that are expensive to validate, and new.
  { isKept: false, queryOf: (n) => `query q${n} { ${FIELDS} }` },
]

export interface Attackers {
  /** How many attempts there were, and how many of them were refused by a limit. */
  readonly counts: { attempts: number; refused: number }
  stop(): Promise<void>
}

/** @param hosts the headers of each hostile client. */
export function attack(port: number, hosts: readonly Readonly<Record<string, string>>[]): Attackers {
  const counts = { attempts: 0, refused: 0 }
  const open = new Set<IncomingMessage>()
  let isStopped = false
  const ask = (headers: Record<string, string>, query: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const all = { accept: 'text/event-stream', 'content-type': 'application/json', ...headers }
      const asked = request({ host: '127.0.0.1', port, path: '/graphql', method: 'POST', headers: all, agent: false })
      asked.on('error', reject)
      asked.on('response', resolve)
      asked.end(JSON.stringify({ query }))
    })
  const run = async (headers: Record<string, string>, { isKept, queryOf }: Way): Promise<void> => {
    while (!isStopped) {
      await nextTurn()
      try {
        const response = await ask(headers, queryOf(counts.attempts++))
        response.on('error', () => {})
        if (response.statusCode === 429) counts.refused++
        if (!isKept || response.statusCode !== 200) {
          response.destroy()
          continue
        }
        open.add(response)
        response.on('close', () => open.delete(response))
        response.resume()
      } catch {
        // A connection beyond the limits of those: it tries again, as they do.
      }
    }
  }
  const running = hosts.flatMap((headers) =>
    WAYS.flatMap((way) => Array.from({ length: AT_ONCE }, () => run({ ...headers }, way))),
  )
  return {
    counts,
    async stop() {
      isStopped = true
      await Promise.all(running)
      for (const response of open) response.destroy()
    },
  }
}
