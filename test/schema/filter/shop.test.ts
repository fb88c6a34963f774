import { expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../../kit/gateway.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { type Item, items, shopSchema } from './shop.ts'

function anItem(differences: Partial<Item> = {}): Item {
  return {
    id: 'i1',
    n: 1,
    weight: null,
    price: '9.90',
    madeAt: '2026-11-27T10:00:00Z',
    color: 'red',
    isSold: false,
    note: null,
    tags: [],
    sizes: null,
    shades: [],
    version: '1',
    maker: { name: 'ACME', town: null },
    category: null,
    ...differences,
  }
}

async function startShop(...options: Parameters<typeof shopSchema>) {
  const gateway = await startTestGateway({ schema: shopSchema(...options), topics: [items], partitions: 1 })
  const send = async (...differences: Partial<Item>[]): Promise<void> => {
    const records = differences.map((each) => ({ key: null, value: JSON.stringify(anItem(each)), partition: 0 }))
    await gateway.embedded.sink.send('items', records)
  }
  return { ...gateway, send }
}

async function open({ graphql }: TestGateway, where: string, fields = 'id'): Promise<RawStream> {
  const stream = await RawStream.subscribe(graphql, `subscription { item(where: ${where}) { ${fields} } }`)
  await stream.untilBlocks(1)
  return stream
}

/** An event that each filter of these tests selects, and that so marks the end. */
const END = anItem({
  id: 'end',
  n: 100,
  weight: 1,
  note: 'the end',
  tags: ['a', 'b'],
  sizes: [1],
  shades: ['green'],
  color: 'green',
  version: '2.1',
  maker: { name: 'Zed', town: { name: 'York' } },
  category: { name: 'x', parent: { name: 'y', parent: { name: 'z', parent: null } } },
})

test.each<[where: string, other: Partial<Item>, matching: Partial<Item>[]]>([
  ['{ note: { isNull: false } }', {}, [{ note: '' }]],
  ['{ note: { ne: "x" } }', { note: 'x' }, [{ note: null }, { note: 'y' }]],
  ['{ not: { note: { startsWith: "x" } } }', { note: 'xy' }, [{ note: null }, { note: 'yx' }]],
  ['{ weight: { gte: 0.5 } }', { weight: 0.4 }, [{ weight: 0.5 }]],
  ['{ weight: { notIn: [2] } }', { weight: 2 }, [{ weight: null }]],
  ['{ tags: { has: "a" } }', { tags: ['A'] }, [{ tags: ['a'] }]],
  ['{ tags: { hasAll: ["a", "b"] } }', { tags: ['a'] }, [{ tags: ['b', 'x', 'a'] }]],
  ['{ tags: { hasAny: ["b", "c"] } }', { tags: ['a'] }, [{ tags: ['c'] }]],
  ['{ sizes: { isNull: false } }', {}, [{ sizes: [] }]],
  ['{ shades: { has: GREEN } }', { shades: ['red'] }, [{ shades: ['red', 'green'] }]],
  ['{ color: { eq: GREEN } }', {}, [{ color: 'green' }]],
  ['{ version: { startsWith: "2." } }', { version: '20' }, [{ version: '2.0' }]],
  ['{ maker: { town: { isNull: false } } }', {}, [{ maker: { name: 'A', town: { name: '' } } }]],
  ['{ maker: { town: { name: { eq: "York" } } } }', {}, [{ maker: { name: 'A', town: { name: 'York' } } }]],
  [
    '{ category: { parent: { name: { eq: "y" } } } }',
    { category: { name: 'y', parent: null } },
    [{ category: { name: '', parent: { name: 'y', parent: null } } }],
  ],
  ['{ label: { eq: "green 100" } }', { n: 100 }, [{ color: 'green', n: 100 }]],
  ['{ label: { startsWith: "green" }, n: { gt: 5 } }', { color: 'green' }, [{ color: 'green', n: 6 }]],
])('where: %s', async (where, other, matching) => {
  const shop = await startShop()
  const stream = await open(shop, where)
  await shop.send({ ...other, id: 'other' }, ...matching.map((each, n) => ({ ...each, id: `m${n}` })), END)
  const expected = [...matching.map((_, n) => ({ id: `m${n}` })), { id: 'end' }]
  const results = await stream.untilResults(expected.length)
  expect(results.map(({ data }) => data?.item)).toEqual(expected)
})

test('a resolver that turns out to be asynchronous is an error of the event, and not a match', async () => {
  const shop = await startShop()
  const stream = await open(shop, '{ promised: { eq: "x" } }')
  const other = await open(shop, '{ n: { gt: 0 } }')
  await shop.send({ id: 'a' })
  expect(await other.untilResults(1)).toEqual([{ data: { item: { id: 'a' } } }])
  const [result] = await stream.untilResults(1)
  expect(result?.errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
})

test("a definition's own resolve is what a filter is of", async () => {
  const shop = await startShop({ resolve: (item) => ({ ...item, n: item.n * 2 }) })
  const stream = await open(shop, '{ n: { gte: 10 } }', 'id n')
  await shop.send({ id: 'a', n: 4 }, { id: 'b', n: 5 })
  expect(await stream.untilResults(1)).toEqual([{ data: { item: { id: 'b', n: 10 } } }])
})
