import { alsoEmpty, instead } from '../phrases.ts'
import { ordersOf } from '../world.ts'
import { type Cell, ORDERS } from './cell.ts'

export const connect: Cell = {
  title: 'connect',
  what: 'a subscription with variables, three orders, and a quiet stream with heartbeats',
  async run(world) {
    const watched = world.subscribe(ORDERS)
    const isOpen = () => world.gateway.engine.subscribers === 1
    if (!(await world.reach(watched, isOpen))) return instead(watched.seen)
    await world.produce('a', 'b', 'c')
    await world.reach(watched, () => ordersOf(watched).length === 3)
    const beats = world.gateway.engine.stats.bytes
    await world.reach(watched, () => world.gateway.engine.stats.bytes > beats)
    await world.produce('d')
    await world.reach(watched, () => ordersOf(watched).length === 4)
    return `${ordersOf(watched).join('') === 'abcd' ? 'results' : 'other results'}${alsoEmpty(watched.seen)}`
  },
}
