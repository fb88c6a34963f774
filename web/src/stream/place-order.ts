import { type SluiceClient, SluiceClientError } from '@sluice/client'
import { type MapOrderFragment, PlaceOrderDocument, type PlaceOrderInput } from '../gql/graphql.ts'

/** The order as it was produced, or why it was not. */
export type Placed =
  | { readonly kind: 'placed'; readonly order: MapOrderFragment; readonly answeredMs: number }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** Whether it was placed is not known: the same key may be sent again. */
  | { readonly kind: 'unknown'; readonly message: string }

/** Sends an order to the gateway, which answers when the log has it. */
export async function placeOrder(client: SluiceClient, input: PlaceOrderInput): Promise<Placed> {
  const startedAt = performance.now()
  try {
    const { data, errors } = await client.execute({ query: PlaceOrderDocument, variables: { input } })
    const error = errors?.[0]
    if (error) return { kind: 'refused', code: error.extensions?.code ?? '', message: error.message }
    if (!data) return { kind: 'unknown', message: 'The answer is empty' }
    return { kind: 'placed', order: data.placeOrder, answeredMs: performance.now() - startedAt }
  } catch (error) {
    if (error instanceof SluiceClientError && error.status !== undefined && error.status < 500) {
      return { kind: 'refused', code: error.code, message: error.message }
    }
    return { kind: 'unknown', message: error instanceof Error ? error.message : String(error) }
  }
}

/** Repeats with one key are one order. Pages without TLS have no `randomUUID`. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
