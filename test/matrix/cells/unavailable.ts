import { RawStream } from '../../kit/raw-stream.ts'
import { ending, instead } from '../phrases.ts'
import { ordersOf } from '../world.ts'
import { type Cell, ORDERS } from './cell.ts'

export const unavailable: Cell = {
  title: '503',
  what: 'the gateway is full at first, and has room after the second request',
  env: () => ({ MAX_STREAMS: '1' }),
  async run(world) {
    const other = await RawStream.subscribe(
      world.gateway.graphql,
      'subscription { ordersByRegion(region: ASIA) { id } }',
    )
    await other.untilBlocks(1)
    const watched = world.subscribe(ORDERS)
    const isBack = await world.reach(watched, () => world.proxy.requests() >= 2)
    await other.close()
    if (!isBack) return instead(watched.seen, 'does not come back')
    const isOpen = () => world.gateway.engine.subscribers === 1
    if (!(await world.reach(watched, isOpen))) return instead(watched.seen, 'does not come back')
    await world.produce('a')
    await world.reach(watched, () => ordersOf(watched).includes('a'))
    return ordersOf(watched).includes('a') ? 'comes back' : ending(watched.seen)
  },
}
