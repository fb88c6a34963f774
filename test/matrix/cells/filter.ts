import { instead } from '../phrases.ts'
import { ordersOf } from '../world.ts'
import { type Cell, ORDERS } from './cell.ts'

export const filter: Cell = {
  title: 'filter',
  what: '`where` in a variable: orders of at least 100, of which there are two among five',
  async run(world) {
    const where = { total: { amount: { gte: '100' } } }
    const watched = world.subscribe({ ...ORDERS, variables: { ...ORDERS.variables, where } })
    const isOpen = () => world.gateway.engine.subscribers === 1
    if (!(await world.reach(watched, isOpen))) return instead(watched.seen)
    const amounts = { a: '99.99', b: '100', c: '5', d: '5', end: '250' }
    for (const [id, amount] of Object.entries(amounts)) await world.gateway.produce({ id, amount })
    await world.reach(watched, () => ordersOf(watched).includes('end'))
    return ordersOf(watched).join() === 'b,end' ? 'only matches' : `other orders: ${ordersOf(watched).join()}`
  },
}
