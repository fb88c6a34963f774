import type { World } from '../world.ts'

/** A column of the table. */
export interface Cell {
  readonly title: string
  /** What happens, for the list below the table. */
  readonly what: string
  /** Variables of the gateway, beside those of all cells. */
  readonly env?: () => Readonly<Record<string, string>>
  /** @returns what the client did, in a fixed phrase */
  run(world: World): Promise<string>
}

export const ORDERS = {
  query:
    'subscription Orders($region: Region!, $where: OrderFilter) { ordersByRegion(region: $region, where: $where) { id } }',
  variables: { region: 'EUROPE' },
}
