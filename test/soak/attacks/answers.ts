/** Answers that nobody takes. */
import { requestBytes } from '../wire.ts'
import { type Attack, repeat, SSE, subscription, type Target } from './attack.ts'

const UNREAD_ANSWERS = 10
const UNREAD_PAGES = 60
const LONG_ALIAS_CHARS = 100_000
const RESERVATIONS = 12
const RESULTS_EACH = 12

async function held(target: Target): Promise<void> {
  while (!target.signal.aborted) await target.pause(100)
}

export const unreadAnswers: Attack = {
  name: 'ten large answers that nobody reads',
  async run(target) {
    for (let i = 0; i < UNREAD_ANSWERS; i++) {
      const fields = Array.from({ length: 40 }, (_, n) => `${'a'.repeat(55)}${n}:city`).join(' ')
      for (const selected of [`${'a'.repeat(LONG_ALIAS_CHARS)}: id`, fields]) {
        target.unread({
          headers: i % 3 === 0 ? SSE : {},
          body: { query: `{ recentOrders(last: 1000) { ${selected} } }` },
        })
        target.count('requests')
      }
      await target.pause(50)
    }
    for (let i = 0; i < UNREAD_ANSWERS; i++)
      target.unread({ body: { query: '{ trap(fails: false, chars: 1000000) }' } })
    // GraphiQL's page has nine megabytes.
    for (let i = 0; i < UNREAD_PAGES && !target.signal.aborted; i++) {
      target.unread({ headers: { accept: 'text/html' } })
      target.count('pages')
      await target.pause(20)
    }
    await held(target)
  },
}

export const unopenedReservations: Attack = {
  name: 'reserved streams with large results, not opened',
  async run(target) {
    await repeat(target, 4, RESERVATIONS, async () => {
      const reserved = await target.ask({ method: 'PUT' })
      if (typeof reserved === 'string' || reserved.status !== 201) return
      for (let n = 0; n < RESULTS_EACH && !target.signal.aborted; n++) {
        const alias = 'a'.repeat(n % 2 === 0 ? LONG_ALIAS_CHARS : 60)
        const query = `{ recentOrders(last: 1000) { ${alias}: city } }`
        const headers = { 'x-graphql-event-stream-token': reserved.body }
        await target.ask({ headers, body: { query, extensions: { operationId: `o${n}` } } })
      }
    })
    await held(target)
  },
}

export const stalledReaders: Attack = {
  name: 'streams that nobody reads',
  async run(target) {
    const fields = Array.from({ length: 60 }, (_, n) => `longerAlias${n}:city`).join(' ')
    for (let i = 0; i < 20; i++) {
      const start = i % 2 === 0 ? ', last: 10000' : ''
      target.unread(subscription(`subscription { ordersByRegion(region: OCEANIA${start}) { ${fields} } }`))
      target.unread(subscription('subscription { iterates(kind: FLOODS, count: 100000) }'))
      target.count('streams', 2)
    }
    while (!target.signal.aborted) {
      await target.orders(200)
      await target.pause(50)
    }
  },
}

/** In single connection mode, where one stream carries 200 operations: groups of one client each, begun and stopped. */
export const manyGroups: Attack = {
  name: '20,000 groups opened and closed',
  async run(target) {
    const tokens: string[] = []
    for (let i = 0; i < 8; i++) {
      const reserved = await target.ask({ method: 'PUT' })
      if (typeof reserved === 'string' || reserved.status !== 201) continue
      const opened = target.connect()
      opened.discard()
      opened.socket.write(requestBytes({ headers: { ...SSE, 'x-graphql-event-stream-token': reserved.body } }))
      tokens.push(reserved.body)
    }
    if (tokens.length === 0) return
    const connections = tokens.map(() => target.connect())
    await repeat(target, tokens.length, 20_000, async (n, worker) => {
      const headers = { 'x-graphql-event-stream-token': tokens[worker] as string }
      const on = connections[worker]?.closed === false ? connections[worker] : target.connect()
      connections[worker] = on
      const operationId = `o${n}`
      const query = `subscription { ordersByMerchant(merchantId: "g${n}") { id city } }`
      await target.ask({ headers, body: { query, extensions: { operationId } } }, { on })
      if (n % 4 !== 0)
        await target.ask({ method: 'DELETE', path: `/graphql?operationId=${operationId}`, headers }, { on })
      target.count('groups')
    })
  },
}
