import type { OperationTypeNode } from 'graphql'
import type { Logger } from 'pino'
import type { CloseReason } from '../../delivery/outlet.ts'
import { RateLimit } from '../../errors/rate-limit.ts'
import type { AdmissionObserver, Refusal } from '../admission-observer.ts'
import { LiveMap } from '../live-map.ts'
import type { OpenStream } from '../open-stream.ts'
import type { Principal } from '../principal.ts'
import type { StreamOwner } from '../stream-owner.ts'
import { LineBudget } from './line-budget.ts'

/** Lines of one client: the burst is the ends and openings of 1,000 streams, which come back after a deploy. */
const CLIENT_LINES = { perSecond: 20, burst: 2_500 }
/** Lines of all clients, of some 400 bytes: 80 KB a second, and twice as many at once as there are streams by default. */
const ALL_LINES = { perSecond: 200, burst: 20_000 }
/** One line for the same refusal of the same client. */
const REFUSED_MS = 10_000
/** Budget of clients' rates: some 30,000. */
const CLIENTS_BYTES = 8 * 1024 * 1024
const CLIENT_BYTES = 160

export interface AuditOptions {
  readonly log: Logger
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

/**
 * Audit log: who opened what, who was refused and why, how streams ended. It has no payloads, variables or credentials.
 * Its volume is bounded by client and in all; a line says how many were not written before it.
 */
export class Audit implements AdmissionObserver {
  readonly #log: Logger
  readonly #now: () => number
  readonly #all = new LineBudget(ALL_LINES)
  readonly #clients: LiveMap<LineBudget>
  readonly #refusals = new RateLimit(REFUSED_MS)

  constructor({ log, now = () => performance.now() }: AuditOptions) {
    this.#log = log.child({ audit: true })
    this.#now = now
    this.#clients = new LiveMap({
      maxBytes: CLIENTS_BYTES,
      entryBytes: CLIENT_BYTES,
      create: () => new LineBudget(CLIENT_LINES),
      rest: new LineBudget(CLIENT_LINES),
      onEvicted: ({ unlogged }) => {
        this.#all.unlogged += unlogged
      },
    })
  }

  /** A query or a mutation. A subscription is told of when its stream opens, or when it has started on one. */
  admitted(owner: StreamOwner, type: OperationTypeNode): void {
    if (type !== 'subscription') this.#tell(owner, { type, ...named(owner) }, 'Operation admitted')
  }

  /** A subscription has started on a stream that carries several. */
  started(owner: StreamOwner): void {
    this.#tell(owner, { type: 'subscription', transport: 'single', ...named(owner) }, 'Operation admitted')
  }

  /** An event has been published, or was before, for a repeat. */
  published(owner: StreamOwner, topic: string): void {
    this.#tell(owner, { topic, ...named(owner) }, 'Event published')
  }

  opened({ owner, transport }: OpenStream): void {
    this.#tell(owner, { transport, ...named(owner) }, 'Stream opened')
  }

  closed({ owner, transport, openedAt, events, bytesWritten: bytes }: OpenStream, reason: CloseReason): void {
    const ms = Math.round(this.#now() - openedAt)
    this.#tell(owner, { transport, ...named(owner), reason, ms, events, bytes }, 'Stream ended')
  }

  /** A subscription has ended on a stream that carries several. */
  ended({ owner, openedAt, events, bytesWritten: bytes }: OpenStream, reason: CloseReason): void {
    const ms = Math.round(this.#now() - openedAt)
    this.#tell(owner, { transport: 'single', ...named(owner), reason, ms, events, bytes }, 'Operation ended')
  }

  refused({ code, reason, principal, address, requestId }: Refusal): void {
    const key = `${code} ${reason} ${keyOf(principal, address)}`
    this.#refusals.tell(
      (repeated) =>
        this.#write(
          keyOf(principal, address),
          { ...who(principal, address), requestId, code, reason, repeated },
          'Refused',
        ),
      key,
    )
  }

  #tell({ identity, address, requestId }: StreamOwner, about: object, message: string): void {
    const { principal } = identity
    this.#write(keyOf(principal, address), { ...who(principal, address), requestId, ...about }, message)
  }

  #write(client: string, line: object, message: string): void {
    const now = this.#now()
    const own = this.#clients.of(client, now)
    if (!own.hasRoom(now)) {
      own.unlogged++
      return
    }
    if (!this.#all.hasRoom(now)) {
      this.#all.unlogged++
      return
    }
    const unlogged = own.take(now) + this.#all.take(now)
    this.#log.info(unlogged > 0 ? { ...line, unlogged } : line, message)
  }
}

function keyOf(principal: Principal | undefined, address: string): string {
  return !principal || principal.kind === 'anonymous' ? address : `${principal.kind} ${principal.id}`
}

function who(principal: Principal | undefined, address: string): object {
  if (!principal) return { address }
  const { id, kind, tokenId } = principal
  return { principal: id, kind, ...(tokenId !== undefined && { jti: tokenId }), address }
}

function named({ operation }: StreamOwner): object {
  if (!operation) return {}
  const { hash, name } = operation
  return { operation: { hash, ...(name !== undefined && { name }) } }
}
