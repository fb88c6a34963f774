import type { Request } from '../client.ts'
import type { Sight } from '../sight.ts'
import type { Command } from './session.ts'

/** One subscription of a library. */
export interface Watched {
  readonly seen: readonly Sight[]
  unsubscribe(): void
}

/** A library, as the cells use it, wherever it runs. */
export interface Driver {
  subscribe(url: string, request: Request): Watched
  flash(url: string, request: Request): void
  dispose(url: string): void
  close(): Promise<void>
}

export interface Wire {
  send(command: Command): void
  close(): Promise<void>
}

/** The driver behind a line to a library: it numbers subscriptions, and sorts what is seen. */
export class LineDriver implements Driver {
  readonly #seen = new Map<number, Sight[]>()
  readonly #wire: Wire

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** Something was seen. */
  take({ key, ...sight }: { readonly key: number } & Sight): void {
    this.#seen.get(key)?.push(sight)
  }

  subscribe(url: string, request: Request): Watched {
    const { key, seen } = this.#begin()
    this.#wire.send({ do: 'subscribe', key, url, ...request })
    return { seen, unsubscribe: () => this.#wire.send({ do: 'unsubscribe', key }) }
  }

  flash(url: string, request: Request): void {
    this.#wire.send({ do: 'flash', key: this.#begin().key, url, ...request })
  }

  dispose(url: string): void {
    this.#wire.send({ do: 'dispose', url })
  }

  close(): Promise<void> {
    return this.#wire.close()
  }

  #begin() {
    const key = this.#seen.size
    const seen: Sight[] = []
    this.#seen.set(key, seen)
    return { key, seen }
  }
}
