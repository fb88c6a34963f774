/** Documents over this gateway's schema of every kind that is expensive to validate, as large as admission reads them. */
const times = (count: number, text: (i: number) => string) => Array.from({ length: count }, (_, i) => text(i)).join(' ')
const orders = (selections: string) => `query { recentOrders { ${selections} } }`
const fragments = (count: number, body: (i: number) => string) =>
  times(count, (i) => `fragment F${i} on Order { ${body(i)} }`)

export const EXPENSIVE: Readonly<Record<string, string>> = {
  'one field many times': orders('id '.repeat(1_990)),
  'one object many times': orders('total { amount } '.repeat(990)),
  'one list many times': `query { ${'recentOrders { id } '.repeat(990)} }`,
  'objects many times, within one another': orders(`total { ${'amount '.repeat(240)} } `.repeat(8)),
  'conflicts many times': orders('a: id a: city '.repeat(800)),
  'a conflict far below': orders(`${'total { amount } '.repeat(980)} total { amount: currency }`),
  'a chain of fragments': `${orders('...F0')} ${fragments(200, (i) => `id ${i < 199 ? `...F${i + 1}` : ''}`)}`,
  'a fan of fragments': `${orders(times(200, (i) => `...F${i}`))} ${fragments(200, () => 'id')}`,
  'a fan of large fragments': `${orders(times(100, (i) => `...F${i}`))} ${fragments(100, () => 'id city country region status placedAt '.repeat(3))}`,
  'fragments within objects': `${orders(times(100, (i) => `...F${i}`))} ${fragments(100, (i) => `total { ...G${i} }`)} ${times(100, (i) => `fragment G${i} on Money { amount }`)}`,
  'fragments in a circle': `${orders('...F0')} ${fragments(190, (i) => `id ...F${(i + 1) % 190}`)}`,
  'fragments that nobody uses': `${orders('id')} ${fragments(200, () => 'id')}`,
  'operations that share a fragment': `${times(50, (i) => `query Q${i} { ...F }`)} fragment F on Query { ${times(500, (i) => `a${i}: recentOrders { id }`)} }`,
  'unknown fields': orders(times(1_990, (i) => `nope${i}`)),
  aliases: orders(times(1_200, (i) => `a${i}: city`)),
  variables: `query (${times(300, (i) => `$v${i}: Int`)}) { ${times(300, (i) => `a${i}: recentOrders(last: $v${i}) { id }`)} }`,
  'variables that nobody defines': `query { ${times(400, (i) => `a${i}: recentOrders(last: $v${i}) { id }`)} }`,
  directives: orders(`id ${'@include(if: true) '.repeat(700)}`),
  'values within values': `query { recentOrders(last: ${'['.repeat(2_000)}1${']'.repeat(2_000)}) { id } }`,
  'a large object': `query { recentOrders(last: {${times(1_200, (i) => `k${i}: 1`)}}) { id } }`,
  'inline fragments within one another': orders(`${'... { '.repeat(1_600)} id ${'} '.repeat(1_600)}`),
  'introspection within introspection': `{ __schema { types { ${times(50, (i) => `a${i}: fields { ${times(12, (k) => `b${k}: type { name }`)} }`)} } } }`,
}
