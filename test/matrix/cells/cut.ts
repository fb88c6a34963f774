import { instead } from '../phrases.ts'
import { ordersOf } from '../world.ts'
import { type Cell, ORDERS } from './cell.ts'

const MISSED = ['m1', 'm2', 'm3']

export const cut: Cell = {
  title: 'cut',
  what: 'the connection breaks, three orders come meanwhile, and one after the client is back',
  async run(world) {
    const watched = world.subscribe(ORDERS)
    const isOpen = () => world.gateway.engine.subscribers === 1
    if (!(await world.reach(watched, isOpen))) return instead(watched.seen)
    await world.produce('a')
    await world.reach(watched, () => ordersOf(watched).includes('a'))
    const release = world.proxy.hold()
    world.proxy.cut()
    await world.reach(watched, () => world.gateway.engine.subscribers === 0)
    await world.produce(...MISSED)
    release()
    if (!(await world.reach(watched, isOpen))) return instead(watched.seen, 'does not come back')
    await world.produce('z')
    await world.reach(watched, () => ordersOf(watched).includes('z'))
    const got = ordersOf(watched)
    const missed = MISSED.filter((id) => !got.includes(id)).length
    const twice = got.length - new Set(got).size
    if (twice > 0) return `comes back, ${twice} twice`
    return missed === 0 ? 'resumes, misses none' : `comes back, misses ${missed} of 3`
  },
}
