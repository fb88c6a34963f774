/** What an attack is, and what it is given. */
import type { Random } from '../random.ts'
import type { Connection, Outcome, RequestOptions } from '../wire.ts'

export interface Attack {
  readonly name: string
  /** Ends by itself soon after the target's signal, at the latest. */
  run(target: Target): Promise<void>
  /** It needs this long to be one, in milliseconds. */
  readonly minMs?: number
  /** It goes on beside all others for this long from the start, in milliseconds. */
  readonly besideMs?: number
  /** It stands for failing resolvers, whose errors are masked as INTERNAL_SERVER_ERROR: that code is no fault here. */
  readonly failsByIntent?: boolean
}

export interface AskOptions {
  readonly timeoutMs?: number
  /** The connection to use; else one of its own, closed after the answer. */
  readonly on?: Connection
}

export interface Target {
  readonly port: number
  readonly adminPort: number
  readonly random: Random
  /** The attack's time is over. */
  readonly signal: AbortSignal
  /** Asks, judges the answer and counts it by status and code. */
  ask(request: RequestOptions | Buffer, options?: AskOptions): Promise<Outcome>
  /** A connection from an attacker's address, which is closed at the attack's end. */
  connect(port?: number): Connection
  /** Opens a stream, and throws away what comes. */
  stream(query: string): void
  /** Sends a request, and leaves what comes to the system's buffers: nobody reads it. */
  unread(request: RequestOptions | Buffer): Connection
  /** Orders of the attacked region, appended now. */
  orders(count: number): Promise<void>
  /** Orders of all regions with this timestamp, which healthy clients are to get as well. */
  stamped(timestamp: number): Promise<void>
  /** Records that are no orders: bytes as latin1 text. */
  raw(values: readonly (string | null)[]): Promise<void>
  /** So many orders at once, as one batch. */
  burst(count: number): Promise<void>
  count(what: string, times?: number): void
  /** Something that must not be. */
  fault(what: string, of?: string): void
  pause(ms: number): Promise<void>
}

/** Runs `work` again and again, `inFlight` at a time, until the signal or so many times. */
export async function repeat(
  { signal }: Target,
  inFlight: number,
  times: number,
  work: (n: number, worker: number) => Promise<unknown>,
): Promise<void> {
  let n = 0
  const workers = Array.from({ length: inFlight }, async (_, worker) => {
    while (n < times && !signal.aborted) await work(n++, worker)
  })
  await Promise.all(workers)
}

export const SSE = { accept: 'text/event-stream' }

export function subscription(query: string, more: Partial<RequestOptions> = {}): RequestOptions {
  return { ...more, headers: { ...SSE, ...more.headers }, body: { query } }
}
