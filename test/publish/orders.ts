/** The document that the tests place orders by. */
export const PLACE_ORDER = `mutation Place($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    id merchantId region country city location { lat lon } total { amount currency } itemCount status placedAt
  }
}`

export const AN_INPUT = {
  merchantId: 'm_0042',
  region: 'EUROPE',
  country: 'NL',
  city: 'Utrecht',
  location: { lat: 52.09, lon: 5.12 },
  total: { amount: '12.50', currency: 'EUR' },
  itemCount: 2,
}

export interface Placed {
  readonly status: number
  readonly retryAfter: string | null
  /** The id of the order; undefined: it was refused. */
  readonly id: string | undefined
  readonly order: Record<string, unknown> | undefined
  readonly code: string | undefined
  readonly message: string | undefined
}

export interface PlaceOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: string
}

/** Places an order at a gateway: a default one, with these differences. */
export async function place(
  graphql: string,
  differences: Readonly<Record<string, unknown>> = {},
  { headers = {}, query = PLACE_ORDER }: PlaceOptions = {},
): Promise<Placed> {
  const response = await fetch(graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables: { input: { ...AN_INPUT, ...differences } } }),
  })
  const { data, errors } = (await response.json()) as {
    data?: { placeOrder?: Record<string, unknown> } | null
    errors?: readonly { message: string; extensions: { code: string } }[]
  }
  const order = data?.placeOrder
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    id: order?.id as string | undefined,
    order,
    code: errors?.[0]?.extensions.code,
    message: errors?.[0]?.message,
  }
}
