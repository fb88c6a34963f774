import { keysFile } from '../../kit/api-keys.ts'
import type { Request } from '../client.ts'
import { ending, instead } from '../phrases.ts'
import type { World } from '../world.ts'
import { type Cell, ORDERS } from './cell.ts'

/** Whoever asks so often will go on to. The default of graphql-sse is six times. */
const RETRIES_INDEFINITELY = 8

async function refused(world: World, request: Request): Promise<string> {
  const watched = world.subscribe(request)
  await world.reach(watched, () => world.proxy.requests() >= RETRIES_INDEFINITELY)
  const end = ending(watched.seen)
  if (world.proxy.requests() >= RETRIES_INDEFINITELY && !end) return 'asks again and again'
  if (!end) return instead(watched.seen)
  return world.proxy.requests() > 1 ? `${end} after ${world.proxy.requests()} requests` : end
}

export const refusal: Cell = {
  title: 'refusal',
  what: 'an operation with an unknown field: 200, a result with errors, and `complete`',
  run: (world) =>
    refused(world, { ...ORDERS, query: 'subscription { ordersByRegion(region: EUROPE) { nope } }', variables: {} }),
}

export const credentials: Cell = {
  title: '401',
  what: 'no credentials, where they are needed',
  env: () => ({ API_KEYS_FILE: keysFile([{ id: 'a', key: 'secret-of-the-matrix-test' }]) }),
  run: (world) => refused(world, ORDERS),
}
