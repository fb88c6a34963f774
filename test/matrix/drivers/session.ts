import type { MatrixClient, OpenClient, Request } from '../client.ts'
import { type Sight, sightOfError, sightOfResult } from '../sight.ts'

/** What a driver is told. `key` is of one subscription. */
export type Command =
  | ({ readonly do: 'subscribe'; readonly key: number; readonly url: string } & Request)
  | { readonly do: 'unsubscribe'; readonly key: number }
  /** Subscribes, and unsubscribes in the same turn. */
  | ({ readonly do: 'flash'; readonly key: number; readonly url: string } & Request)
  | { readonly do: 'dispose'; readonly url: string }

/** Runs commands on a library, beside it: in a child process or a page. */
export function startSession(
  client: MatrixClient,
  tell: (key: number, sight: Sight) => void,
): (command: Command) => void {
  const open = new Map<string, OpenClient>()
  const stops = new Map<number, () => void>()
  function subscribe(key: number, url: string, request: Request): void {
    const at = open.get(url) ?? client.open!(url)
    open.set(url, at)
    const stop = at.subscribe(request, {
      next: (result) => tell(key, sightOfResult(result)),
      error: (error) => tell(key, sightOfError(error)),
      complete: () => tell(key, { saw: 'end' }),
    })
    stops.set(key, stop)
  }
  function unsubscribe(key: number): void {
    stops.get(key)?.()
    stops.delete(key)
  }
  return (command) => {
    switch (command.do) {
      case 'subscribe':
        return subscribe(command.key, command.url, command)
      case 'unsubscribe':
        return unsubscribe(command.key)
      case 'flash':
        subscribe(command.key, command.url, command)
        return unsubscribe(command.key)
      case 'dispose':
        open.get(command.url)?.dispose?.()
        open.delete(command.url)
    }
  }
}
