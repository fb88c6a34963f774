import type { Listeners } from '../../packages/client/src/listeners.ts'
import { createSluiceClient, type SluiceClient } from '../../packages/client/src/sluice-client.ts'
import type { OpenClient, Sink } from './client.ts'

/** A library with our adapter: its callbacks tell what the library itself would not survive. */
export function openAdapter(
  url: string,
  open: (options: { readonly client: SluiceClient } & Listeners) => OpenClient,
): OpenClient {
  const client = createSluiceClient({ url })
  let told: Sink | undefined
  const library = open({
    client,
    onGap: () => told?.next({ errors: [{ extensions: { code: 'CURSOR_EXPIRED' } }] }),
    onCaughtUp: () => {},
  })
  return {
    subscribe(request, sink) {
      told = sink
      return library.subscribe(request, sink)
    },
    dispose() {
      library.dispose?.()
      client.dispose()
    },
  }
}
