import { until } from '../../kit/until.ts'
import { instead } from '../phrases.ts'
import { ordersOf } from '../world.ts'
import { type Cell, ORDERS } from './cell.ts'

const TIMES = 20
/** What a client leaves behind for longer is left until it ends. */
const SETTLE_MS = 2_000

export const unsubscribe: Cell = {
  title: 'unsubscribe at once',
  what: `${TIMES} subscriptions that are ended in the same turn, as many ended before their answer, and one that stays`,
  async run(world) {
    for (let i = 0; i < TIMES; i++) world.flash(ORDERS)
    const release = world.proxy.hold()
    const hasty = Array.from({ length: TIMES }, () => world.subscribe(ORDERS))
    await world.reach(hasty[0]!, () => world.proxy.requests() > 0)
    for (const each of hasty) each.unsubscribe()
    release()
    const watched = world.subscribe(ORDERS)
    let count = 0
    const isThere = await world.reach(watched, async () => {
      await world.produce(`o${count++}`)
      return ordersOf(watched).length > 0
    })
    if (!isThere) return instead(watched.seen, 'hears nothing any more')
    const left = () => world.gateway.engine.subscribers - 1
    await until('no other is left', () => left() === 0, SETTLE_MS).catch(() => {})
    return left() === 0 ? 'nothing is left' : 'operations are left until its stream ends'
  },
}
