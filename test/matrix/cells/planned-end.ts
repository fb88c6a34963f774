import { instead } from '../phrases.ts'
import { ordersOf } from '../world.ts'
import { type Cell, ORDERS } from './cell.ts'

/** More than the five attempts after which graphql-sse gives up by default. */
const ENDS = 10

export const plannedEnd: Cell = {
  title: 'ten planned ends',
  what: 'the stream reaches its maximum age (`STREAM_MAX_AGE_MS`) ten times without a result in between; then orders come',
  env: () => ({ STREAM_MAX_AGE_MS: '120' }),
  async run(world) {
    const watched = world.subscribe(ORDERS)
    const ends = () => world.gateway.engine.stats.closes.age ?? 0
    if (!(await world.reach(watched, () => ends() >= ENDS))) {
      const count = ends()
      const after = count === 0 ? '' : count === 1 ? ' after the first' : ` after ${count}`
      return `${instead(watched.seen, 'does not come back')}${after}`
    }
    let count = 0
    const alive = await world.reach(watched, async () => {
      await world.gateway.produce({ id: `o${count++}` })
      return ordersOf(watched).length > 0
    })
    return alive ? 'lives on' : instead(watched.seen, 'hears nothing any more')
  },
}
