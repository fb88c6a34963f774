/** Operations that are large, costly, or wrong in a way that costs. */
import { type Attack, repeat, type Target } from './attack.ts'

const HEAVY_DOCUMENTS = 390
const HEAVY_CHARS = 13_000
const INVALID_CHARS = 17_000
const FIELDS = ['id', 'merchantId', 'region', 'country', 'city', 'itemCount', 'status', 'placedAt']
const DEPTH = 5_000

/** So many aliased fields of an order. */
function aliases(count: number, prefix = 'a'): string {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}:${FIELDS[i % FIELDS.length]}`).join(' ')
}

/** Both ways of an operation: a subscription too, since it has caches of its own. */
async function send(target: Target, n: number, query: string): Promise<void> {
  const isSubscription = query.startsWith('subscription')
  await target.ask({ headers: isSubscription || n % 2 === 0 ? { accept: 'text/event-stream' } : {}, body: { query } })
}

export const heavyDocuments: Attack = {
  name: '390 operations of 13 KB, an alias changed',
  async run(target) {
    const rest = aliases(HEAVY_CHARS / 13, 'field')
    await repeat(target, 4, HEAVY_DOCUMENTS, (n) => {
      const alias = `x${target.random.word(10)}`
      const kind = n % 3 === 0 ? '{ recentOrders(last: 1)' : `subscription { ordersByRegion(region: OCEANIA)`
      return send(target, n, `${kind} { ${alias}: id ${rest} } }`)
    })
  },
}

export const invalidDocuments: Attack = {
  name: 'invalid documents of 17 KB',
  async run(target) {
    const { random } = target
    // Every two fields of one name are compared.
    const same = Array.from({ length: 1_200 }, (_, i) => `a:${FIELDS[i % 8]}`).join(' ')
    const unknown = Array.from({ length: INVALID_CHARS / 8 }, (_, i) => `nope${i}`).join(' ')
    const fragments = Array.from({ length: 300 }, (_, i) => `fragment f${i} on Order { ...f${i + 1} id${i}: nope }`)
    const documents = [
      `{ recentOrders { ${same} } }`,
      `{ recentOrders { ${unknown} } }`,
      `{ recentOrders { ...f0 } } ${fragments.join(' ')} fragment f300 on Order { ...f0 }`,
      `query(${Array.from({ length: 700 }, (_, i) => `$v${i}: Strin`).join(' ')}) { streams { topic } }`,
    ]
    // The same one again and again, and others beside.
    await repeat(target, 2, 300, (n) => {
      const document = documents[n % documents.length] as string
      return send(target, n, random.chance(0.5) ? document : `${document} #${random.word(8)}`)
    })
  },
}

export const costlyQueries: Attack = {
  name: '40 × recentOrders(last: 1000) with 300 fields',
  async run(target) {
    await repeat(target, 2, 40, (n) => {
      const fields = `fragment F on Order { ${aliases(300)} }`
      const roots = Array.from({ length: 40 }, (_, i) => `r${i}: recentOrders(last: 1000) { ...F }`).join(' ')
      const stream = `subscription { ordersByRegion(region: OCEANIA, last: 10000) { ${aliases(600)} } }`
      return send(target, n, n % 4 === 3 ? stream : `{ ${roots} } ${fields} #${n}`)
    })
  },
}

export const fragmentBombs: Attack = {
  name: 'fragments that expand exponentially',
  async run(target) {
    await repeat(target, 2, 60, (n) => {
      const levels = 5 + (n % 20)
      const body = (i: number) => (i === levels ? 'id' : `...f${i + 1} ... on Order { ...f${i + 1} } ...f${i + 1}`)
      const chain = Array.from({ length: levels + 1 }, (_, i) => `fragment f${i} on Order { ${body(i)} }`).join(' ')
      const kind = n % 2 === 0 ? '{ recentOrders(last: 10)' : 'subscription { ordersByRegion(region: OCEANIA, last: 10)'
      const nested = Array.from(
        { length: levels },
        (_, i) => `a${i}: __type(name: "Order") { fields { type { name fields {`,
      )
      const deep = `{ ${nested.join(' ')} name ${'} } }'.repeat(levels)} }`
      return send(target, n, n % 5 === 4 ? deep : `${kind} { ...f0 } } ${chain}`)
    })
  },
}

export const oddNames: Attack = {
  name: 'aliases then, __proto__, toJSON, constructor',
  async run(target) {
    const names = [
      'then',
      'toJSON',
      'constructor',
      'toString',
      'valueOf',
      'hasOwnProperty',
      'prototype',
      'catch',
      '__proto__',
    ]
    await repeat(target, 4, 2_000, (n) => {
      const name = target.random.pick(names)
      return send(
        target,
        n,
        target.random.pick([
          `{ ${name}: __typename }`,
          `{ recentOrders(last: 2) { ${name}: id } }`,
          `{ ${name}: recentOrders(last: 2) { total { ${name}: amount } } }`,
          `subscription { ${name}: ordersByRegion(region: OCEANIA, last: 3) { ${name}: id } }`,
          `subscription { ordersByRegion(region: OCEANIA, last: 3) { ${name}: total { ${name}: amount } } }`,
          `query ${name} { streams { ${name}: topic } }`,
          `query ($${name}: Int) { recentOrders(last: $${name}) { id } }`,
          `{ recentOrders(last: 1) { ...${name} } } fragment ${name} on Order { id }`,
        ]),
      )
    })
  },
}

export const deepVariables: Attack = {
  name: 'variables and values nested 5,000 deep',
  async run(target) {
    const nested = (open: string, close: string, inner: string) => `${open.repeat(DEPTH)}${inner}${close.repeat(DEPTH)}`
    const values = [nested('[', ']', '1'), nested('{"a":', '}', '1'), nested('[{"a":', '}]', 'null')]
    await repeat(target, 2, 400, async (n) => {
      const value = target.random.pick(values)
      const headers = n % 2 === 0 ? { accept: 'text/event-stream' } : {}
      const body = target.random.pick([
        `{"query":"query($v: Int) { recentOrders(last: $v) { id } }","variables":{"v":${value}}}`,
        `{"query":"query($v: [Region!]) { recentOrders(last: 1) { id } }","variables":{"v":${value}}}`,
        `{"query":"subscription($v: Region!) { ordersByRegion(region: $v) { id } }","variables":{"v":${value}}}`,
        `{"query":"subscription($v: DateTime) { ordersByRegion(region: ASIA, since: $v) { id } }","variables":{"v":${value}}}`,
        `{"query":"{ streams { topic } }","extensions":{"operationId":${value},"cursor":${value}}}`,
        `{"query":${value}}`,
        value,
        JSON.stringify({ query: `{ recentOrders(last: ${nested('[', ']', '1').slice(0, 4_000)}) { id } }` }),
        JSON.stringify({ query: nested('{ a', '}', '') }),
      ])
      await target.ask({ headers, body })
    })
  },
}

export const longAccepts: Attack = {
  name: 'Accept of 15 KB',
  async run(target) {
    await repeat(target, 4, 1_000, async (n) => {
      const ranges = Array.from({ length: 700 }, (_, i) => `text/x${target.random.word(4)};q=0.${(i % 9) + 1}`)
      const accept = `${ranges.join(', ')}${n % 2 === 0 ? ', application/json' : ''}`.slice(0, 15_000)
      await target.ask({ method: target.random.pick(['GET', 'POST', 'PUT']), headers: { accept, connection: 'close' } })
    })
  },
}
