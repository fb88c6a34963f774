import { decodeCursor, encodeCursor } from '../../../src/streams/cursor/cursor.ts'
import { RawStream } from '../../kit/raw-stream.ts'
import { codes, ending, instead } from '../phrases.ts'
import { ordersOf, type World } from '../world.ts'
import type { Cell } from './cell.ts'

const QUERY = 'subscription Orders($after: Cursor) { ordersByRegion(region: EUROPE, after: $after) { id } }'

export const gap: Cell = {
  title: 'gap',
  what: 'it begins at a cursor (`after`) whose events are gone, of a log that was replaced; then orders come',
  async run(world) {
    const watched = world.subscribe({ query: QUERY, variables: { after: await oldCursor(world) } })
    const isOpen = () => world.gateway.engine.subscribers === 1
    if (!(await world.reach(watched, isOpen))) return instead(watched.seen)
    await world.produce('a', 'b')
    await world.reach(watched, () => ordersOf(watched).includes('b'))
    const told = codes(watched.seen)
    const end = ending(watched.seen)
    if (end) return end
    return told ? `told ${told}, goes on` : 'goes on, is not told'
  },
}

/** A position behind some events of a log that is gone. */
async function oldCursor(world: World): Promise<string> {
  const stream = await RawStream.subscribe(
    world.gateway.graphql,
    'subscription { ordersByRegion(region: ASIA) { id } }',
  )
  await stream.untilBlocks(1)
  await stream.close()
  const { epoch, ...cursor } = decodeCursor('orders', stream.blocks[0]?.id ?? '')
  return encodeCursor('orders', { ...cursor, epoch: (epoch ?? 0) - 1_000, positions: cursor.positions.map(() => 3) })
}
