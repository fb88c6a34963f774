export const REGIONS = ['AFRICA', 'ASIA', 'EUROPE', 'NORTH_AMERICA', 'OCEANIA', 'SOUTH_AMERICA'] as const

export interface Filter {
  /** '': all. */
  readonly region: (typeof REGIONS)[number] | ''
  /** The least amount that is shown, a decimal number. The gateway says so if it is none. */
  readonly least: string
}

/** Orders on the page, the newest. */
export const MAX_ORDERS = 50

/** The variables of the examples' subscription. */
export function variablesOf({ region, least }: Filter) {
  return {
    last: 10,
    where: { ...(region && { region: { eq: region } }), total: { amount: { gte: least || '0' } } },
  }
}
