/** The rules of admission: how a gateway is configured for each, and a request that breaks it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { keysFile } from '../../kit/api-keys.ts'
import type { TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { makeIssuer } from '../../kit/tokens.ts'
import { until } from '../../kit/until.ts'
import type { Asked, Way } from './ways.ts'

/** A gateway with one rule. */
export interface Prepared {
  readonly env: Readonly<Record<string, string>>
  /** What differs from the usual request where nothing is broken: credentials. */
  readonly good?: Partial<Asked>
  /** What breaks the rule, beside that. */
  readonly bad?: Partial<Asked>
  /** Breaks it for what has been good so far. */
  breaks?(gateway: TestGateway): Promise<void>
}

export interface Rule {
  /** The code of the refusal. */
  readonly code: string
  /** For which ways it holds. */
  holds(way: Way): boolean
  prepare(): Prepared | Promise<Prepared>
  /** To a native EventSource the refusal is a stream that ends, and comes back. */
  readonly retries?: true
}

const everywhere = (): boolean => true
const forOperations = ({ operation }: Way): boolean => operation !== undefined
const forStreams = ({ opens }: Way): boolean => opens === true
const forReplays = ({ resumes }: Way): boolean => resumes === true

const KEY = { 'x-api-key': 'the-key-of-a-partner' }
const partner = (more: object = {}) => ({
  ANONYMOUS: 'false',
  API_KEYS_FILE: keysFile([{ id: 'partner', key: KEY['x-api-key'], scopes: ['orders:write'], ...more }]),
})
const ANYBODY = { ANONYMOUS_SCOPES: 'orders:write' }

/** An hour, in seconds. */
const HOUR = 3600
const seconds = () => Math.floor(Date.now() / 1000)

async function tokens() {
  const issuer = await makeIssuer()
  const bearer = async (claims: object) => ({
    authorization: `Bearer ${await issuer.sign({ sub: 'partner', scope: 'orders:write', ...claims })}`,
  })
  return { env: { ANONYMOUS: 'false', AUTH_KEY_FILE: issuer.keyFile(), AUTH_ALGORITHMS: 'ES256' }, issuer, bearer }
}

async function admin(gateway: TestGateway, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(gateway.adminUrl + path, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
}

/** An order in a document. */
const placeOrder = (selection: string, merchantId = 'm_0001') =>
  `placeOrder(input: { merchantId: "${merchantId}", region: EUROPE, country: "NL", city: "Delft", location: { lat: 52, lon: 4 },
    total: { amount: "1", currency: "EUR" } }) { ${selection} }`

/** The same document as a query, as a mutation and as a subscription, with this in the selection of an order. */
const ordersWith = (selection: string, args = '') => ({
  query: `query Named { recentOrders(last: 1${args && `, ${args}`}) { ${selection} } }`,
  mutation: `mutation Named { ${placeOrder(selection)} }`,
  subscription: `subscription Named($after: Cursor) { orders(after: $after${args && `, ${args}`}) { ${selection} } }`,
})

const LONG_NAME = 'x'.repeat(65)
const DEEP = `${'... { '.repeat(60)}id${' }'.repeat(60)}`

export const RULES: Readonly<Record<string, Rule>> = {
  'no credentials': {
    code: 'UNAUTHENTICATED',
    holds: everywhere,
    prepare: () => ({ env: partner(), good: { headers: KEY }, bad: { headers: {} } }),
  },
  'wrong credentials': {
    code: 'UNAUTHENTICATED',
    holds: everywhere,
    prepare: () => ({ env: partner(), good: { headers: KEY }, bad: { headers: { 'x-api-key': 'another' } } }),
  },
  'a token that has expired': {
    code: 'SESSION_EXPIRED',
    holds: everywhere,
    async prepare() {
      const { env, bearer } = await tokens()
      const good = { headers: await bearer({ exp: seconds() + HOUR }) }
      return { env, good, bad: { headers: await bearer({ exp: seconds() - HOUR }) } }
    },
  },
  'a revoked principal': {
    code: 'REVOKED',
    holds: everywhere,
    prepare: () => ({
      env: partner(),
      good: { headers: KEY },
      async breaks(gateway) {
        await admin(gateway, '/revoke', { principal: 'partner' })
        await untilCode(gateway, KEY, 'REVOKED')
      },
    }),
  },
  'a cookie from another site': {
    code: 'FORBIDDEN',
    holds: everywhere,
    async prepare() {
      const { env, issuer } = await tokens()
      const cookie = `session=${await issuer.sign({ sub: 'partner', scope: 'orders:write', exp: seconds() + HOUR })}`
      const own = { cookie, 'sec-fetch-site': 'same-origin' }
      const forged = { cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
      return { env: { ...env, AUTH_COOKIE: 'session' }, good: { headers: own }, bad: { headers: forged } }
    },
  },
  'a field without its scope': {
    code: 'FORBIDDEN',
    holds: forOperations,
    prepare: () => ({ env: partner(), good: { headers: KEY }, bad: ordersWith('id customer { email }') }),
  },
  'a filter by a field without its scope': {
    code: 'FORBIDDEN',
    holds: forOperations,
    prepare: () => ({
      env: partner(),
      good: { headers: KEY },
      bad: {
        ...ordersWith('id', 'where: { customer: { email: { eq: "a@b.example" } } }'),
        // It has no filter: the same field, selected.
        mutation: `mutation { ${placeOrder('customer { id }')} }`,
      },
    }),
  },
  'a merchant beyond its bounds': {
    code: 'FORBIDDEN',
    holds: forOperations,
    prepare: () => ({
      env: partner({ bounds: { merchantId: ['m_0001'] } }),
      good: { headers: KEY },
      bad: {
        ...ordersWith('id', 'where: { merchantId: { eq: "m_0002" } }'),
        mutation: `mutation { ${placeOrder('id', 'm_0002')} }`,
      },
    }),
  },
  'a blocked operation': {
    code: 'OPERATION_BLOCKED',
    holds: forOperations,
    prepare: () => ({
      env: partner(),
      good: { headers: KEY },
      bad: ordersWith('id'),
      async breaks(gateway) {
        await admin(gateway, '/block', { operation: 'Named' })
        await untilCode(gateway, KEY, 'OPERATION_BLOCKED')
      },
    }),
  },
  'a second stream of one principal': {
    code: 'RATE_LIMITED',
    retries: true,
    holds: forStreams,
    prepare: () => ({
      env: { ...partner(), MAX_STREAMS_PER_PRINCIPAL: '1' },
      good: { headers: KEY },
      async breaks(gateway) {
        await RawStream.subscribe(gateway.graphql, 'subscription { orders { id } }', { headers: KEY })
      },
    }),
  },
  'a text that is not persisted': {
    code: 'PERSISTED_OPERATION_REQUIRED',
    holds: forOperations,
    prepare() {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-matrix-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const file = join(folder, 'manifest.json')
      writeFileSync(file, JSON.stringify(USUAL_TEXTS))
      return {
        env: { ...ANYBODY, PERSISTED_OPERATIONS: 'only', PERSISTED_OPERATIONS_FILE: file },
        bad: ordersWith('id city'),
      }
    },
  },
  introspection: {
    code: 'GRAPHQL_VALIDATION_FAILED',
    holds: forOperations,
    prepare: () => ({
      env: { ...ANYBODY, INTROSPECTION: 'false' },
      bad: {
        query: 'query { recentOrders(last: 1) { id } ...F } fragment F on Query { __schema { queryType { name } } }',
        mutation: `mutation { ${placeOrder('id')} } query Q { __type(name: "Order") { name } }`,
        subscription: 'subscription { orders { id } } query Q { __type(name: "Order") { name } }',
      },
    }),
  },
  'a name that is too long': {
    code: 'NAME_TOO_LONG',
    holds: forOperations,
    prepare: () => ({ env: ANYBODY, bad: ordersWith(`${LONG_NAME}: id`) }),
  },
  'a document that is too deep': {
    code: 'OPERATION_TOO_COMPLEX',
    holds: forOperations,
    prepare: () => ({ env: ANYBODY, bad: ordersWith(DEEP) }),
  },
  'an operation that costs too much': {
    code: 'OPERATION_TOO_COMPLEX',
    holds: forOperations,
    prepare: () => ({
      env: ANYBODY,
      bad: {
        query: `{ ${Array.from({ length: 200 }, (_, i) => `a${i}: recentOrders(last: 1000) { id }`).join(' ')} }`,
        mutation: `mutation { ${Array.from({ length: 30 }, (_, i) => `a${i}: ${placeOrder('id')}`).join(' ')} }`,
        subscription: `subscription { orders { ${Array.from({ length: 10 }, (_, i) => `...F${i}`).join(' ')} } } ${costly()}`,
      },
    }),
  },
  'a document of too many tokens': {
    code: 'GRAPHQL_PARSE_FAILED',
    holds: forOperations,
    prepare: () => ({ env: ANYBODY, bad: ordersWith('a:id '.repeat(1_690)) }),
  },
  'a field that is none': {
    code: 'GRAPHQL_VALIDATION_FAILED',
    holds: forOperations,
    prepare: () => ({ env: ANYBODY, bad: ordersWith('nope') }),
  },
  'a damaged cursor': {
    code: 'CURSOR_INVALID',
    holds: forReplays,
    prepare: () => ({ env: ANYBODY, bad: { cursor: 'damaged' } }),
  },
}

/** Operations that break no rule. */
export const USUAL_TEXTS = {
  query: 'query Usual { recentOrders(last: 1) { id } }',
  mutation: `mutation Usual { ${placeOrder('id')} }`,
  subscription: 'subscription Usual($after: Cursor) { orders(after: $after) { id } }',
}

/** Fragments that are spread in fragments: each doubles the fields of the one before. */
function costly(): string {
  const LEVELS = 10
  return Array.from({ length: LEVELS }, (_, i) => {
    const inner = Array.from({ length: 2 }, () => (i + 1 < LEVELS ? `...F${i + 1}` : fields())).join(' ')
    return `fragment F${i} on Order { ${inner} }`
  }).join(' ')
}

function fields(): string {
  return Array.from({ length: 20 }, (_, i) => `f${i}: id`).join(' ')
}

/** Until what was told to the admin port has arrived where operations are admitted. */
async function untilCode(gateway: TestGateway, headers: Record<string, string>, code: string): Promise<void> {
  const body = JSON.stringify({ query: ordersWith('id').query })
  await until(`the gateway answers ${code}`, async () => {
    const all = { 'content-type': 'application/json', ...headers }
    return (await (await fetch(gateway.graphql, { method: 'POST', headers: all, body })).text()).includes(code)
  })
}
