import type { SluiceClient } from '../../packages/client/src/sluice-client.ts'
import type { OpenClient } from './client.ts'

export function openSluice(client: SluiceClient): OpenClient {
  return {
    subscribe(request, sink) {
      const subscription = client.subscribe(request, {
        next: sink.next,
        error: sink.error,
        complete: sink.complete,
        onCaughtUp: () => {},
        onGap: () => sink.next({ errors: [{ extensions: { code: 'CURSOR_EXPIRED' } }] }),
      })
      return () => subscription.unsubscribe()
    },
    dispose: () => client.dispose(),
  }
}
