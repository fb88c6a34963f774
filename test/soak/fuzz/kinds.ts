/**
 * The kinds of trouble that a request can be. They are told by looking at the finished request, and not by what made
 * it: so they say what the mutator reaches by itself.
 */
import { CURSOR, type Draft, headerOf, TOKEN } from './draft.ts'

const HEAVY_CHARS = 10_000
/** Fields × orders: about what takes a tenth of a second. */
const COSTLY = 100_000

const INVALID = ['@nope', '...b1 ', '\u0000', '\ufeff']

type Kind = readonly [name: string, is: (draft: Draft, query: string) => boolean]

export const REQUEST_KINDS: readonly Kind[] = [
  ['a Host that is none', (draft) => !draft.toAdmin && !/^[\w.-]+(:\d{1,4})?$/.test(headerOf(draft, 'host') ?? '')],
  ['a target that is no path', ({ path }) => !/^\/(graphql|[\w.]*)(\?|$)/.test(path)],
  ['an admin request for another host', (draft) => draft.toAdmin && headerOf(draft, 'host') !== 'localhost'],
  ['an Accept of over 4 KB', (draft) => (headerOf(draft, 'accept')?.length ?? 0) > 4_000],
  ['a head of over 16 KB', ({ headers }) => headers.reduce((sum, [, value]) => sum + value.length, 0) > 16_000],
  ['a head or body cut short', ({ delivery }) => delivery === 'cut'],
  ['a head or body that comes slowly', ({ delivery }) => delivery === 'slow'],
  ['a request given up', ({ delivery }) => delivery === 'reset'],
  ['an answer that nobody reads', ({ delivery }) => delivery === 'unread'],
  ['a large answer that nobody reads', (draft, query) => draft.delivery === 'unread' && costOf(query) > 5_000],
  ['requests sent ahead', ({ delivery }) => delivery === 'pipelined'],
  ['bytes that are no HTTP', ({ delivery }) => delivery === 'wild'],
  ['a chunked body', ({ delivery, body }) => delivery === 'chunked' && body !== undefined],
  ['an operation of over 10 KB', (_draft, query) => query.length > HEAVY_CHARS && query.includes(': ')],
  [
    'an invalid document of over 10 KB',
    (_draft, query) => query.length > HEAVY_CHARS && INVALID.some((each) => query.includes(each)),
  ],
  ['a costly query', (_draft, query) => !query.startsWith('sub') && costOf(query) > COSTLY],
  ['a costly subscription', (_draft, query) => query.startsWith('sub') && (query.match(/\w+/g)?.length ?? 0) > 200],
  ['a bomb of fragments', (_draft, query) => /\.\.\.b9 \.\.\.b9/.test(query)],
  ['a cycle of fragments', (_draft, query) => /fragment (\w+) on \w+ \{[^}]*\.\.\.\1\b/.test(query)],
  ['introspection', (_draft, query) => query.includes('__schema') || query.includes('__type(')],
  ['an alias named then', (_draft, query) => /\bthen: /.test(query)],
  ['an alias named __proto__ or toJSON', (_draft, query) => /\b(__proto__|toJSON): /.test(query)],
  ['a name of over 64 characters', (_draft, query) => longestWord(query) > 64],
  ['a name of over 10,000 characters', (_draft, query) => longestWord(query) > 10_000],
  ['values nested 1,000 deep in the document', (_draft, query) => /\[{1000}|(\{a:){1000}/.test(query)],
  ['JSON nested 5,000 deep', ({ body = '', path }) => /\[{5000}|(\{"a":){5000}/.test(body + path)],
  ['keys named __proto__ or then', ({ body = '' }) => /"(__proto__|then)":/.test(body)],
  ['a resolver that fails', (_draft, query) => /\btraps\b.*(throws|bad|not|null)/s.test(query)],
  ['a resolver that looks at info', (_draft, query) => /\btraps\b.*\breads\b/s.test(query)],
  ['a filter or where that throws', (_draft, query) => /traps\([^)]*(THROWS|ODD|NOTHING)/.test(query)],
  ['a filter of orders', (_draft, query) => /orders\w*\([^)]*where: \{/i.test(query)],
  ['a filter by a variable', (_draft, query) => query.includes('where: $orderFilter')],
  ['a filter of alternatives', (_draft, query) => /\bor: \[\{/.test(query)],
  ['null in a filter', (_draft, query) => /\b(in|gte?|contains): null/.test(query)],
  ['an iterator that throws', (_draft, query) => /iterates\([^)]*(THROWS|REFUSES|IS_NONE)/.test(query)],
  ['a group of its own', (_draft, query) => /ordersByMerchant\(merchantId: "[a-z]/.test(query)],
  ['a start far in the past', (_draft, query) => /last: 10000|since: "1970/.test(query)],
  ['a cursor', ({ body = '', headers }) => body.includes(CURSOR) || headers.some(([, value]) => value === CURSOR)],
  ['a reservation', ({ method }) => method === 'PUT'],
  [
    'an operation for a reserved stream',
    ({ headers, body }) => body !== undefined && headers.some(([, value]) => value === TOKEN),
  ],
  [
    'an operation for a stream with a large result',
    (draft, query) => draft.headers.some(([, value]) => value === TOKEN) && costOf(query) > 5_000,
  ],
  ['several operations', (_draft, query) => (query.match(/\bOp1\b/g)?.length ?? 0) > 0],
]

export function kindsOf(draft: Draft): string[] {
  const query = draft.query ?? ''
  return REQUEST_KINDS.filter(([, is]) => is(draft, query)).map(([name]) => name)
}

function longestWord(text: string): number {
  return (text.match(/\w+/g) ?? []).reduce((longest, word) => Math.max(longest, word.length), 0)
}

/** Words × the longest list: an estimate that needs no parser. */
function costOf(query: string): number {
  if (!query.includes('recentOrders')) return 0
  const last = Math.max(
    20,
    ...Array.from(query.matchAll(/last: (\d+)/g), ([, count]) => Math.min(1_000, Number(count))),
  )
  return (query.match(/\w+/g)?.length ?? 0) * last
}
