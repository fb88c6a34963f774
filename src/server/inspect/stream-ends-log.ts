import type { OpenStream } from '../../admission/open-stream.ts'
import { CLOSE_REASONS, type CloseReason } from '../../delivery/outlet.ts'
import type { StreamObserver } from '../../transport/stream-observer.ts'
import type { StreamSocket } from '../../transport/stream-socket.ts'
import { Ring } from './ring.ts'

/** Ends that are remembered, of some 400 bytes: those of a full instance that drains go by in a round or two. */
const MAX_ENDS = 5_000

/** The end of a stream, or of a subscription on a stream that carries several. */
export interface StreamEnd {
  readonly requestId: string
  readonly principal: string
  readonly kind: string
  readonly address: string
  /** Null: the stream carried several operations. */
  readonly operation: { readonly name: string | null; readonly hash: string } | null
  readonly transport: OpenStream['transport']
  readonly openedAt: string
  readonly endedAt: string
  readonly reason: CloseReason
  /** Results, and bytes as they were sent. */
  readonly events: number
  readonly bytes: number
}

/** Why streams ended: the last of them, by request id, and the number of each reason. */
export class StreamEndsLog implements StreamObserver {
  readonly ring: Ring<StreamEnd>
  readonly byReason = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])) as Record<CloseReason, number>

  constructor(max = MAX_ENDS) {
    this.ring = new Ring(max)
  }

  opened(): void {}

  closed(stream: StreamSocket, reason: CloseReason): void {
    this.byReason[reason]++
    this.ended(stream, reason)
  }

  /** A stream, or a subscription on one. */
  ended({ owner, transport, openedAt, events, bytesWritten }: OpenStream, reason: CloseReason): void {
    const { identity, address, requestId, operation } = owner
    const { id, kind } = identity.principal
    const now = Date.now()
    this.ring.add({
      requestId,
      principal: id,
      kind,
      address,
      operation: operation ? { name: operation.name ?? null, hash: operation.hash } : null,
      transport,
      openedAt: new Date(now - (performance.now() - openedAt)).toISOString(),
      endedAt: new Date(now).toISOString(),
      reason,
      events,
      bytes: bytesWritten,
    })
  }
}
