import { ERRORS, type ErrorCode } from '../../errors/codes.ts'
import { finalRetryMs, plannedRetryMs, retryMs } from '../../errors/retry-hints.ts'
import { BY_ID, retryBlock } from '../../protocol/event-stream.ts'
import { type Framing, frame, NO_CURSOR } from '../../protocol/framing.ts'
import type { CloseReason, Outlet } from '../outlet.ts'

/** Reasons of which a client is told by a last result with an error. */
export type ToldReason = 'expired' | 'revoked' | 'blocked'

const CODES: Record<ToldReason, ErrorCode> = {
  expired: 'SESSION_EXPIRED',
  revoked: 'REVOKED',
  blocked: 'OPERATION_BLOCKED',
}

/** The results are constant, and rendered once. */
const RESULTS = Object.fromEntries(
  Object.entries(CODES).map(([reason, code]) => {
    const { message } = ERRORS[code]
    return [reason, Buffer.from(JSON.stringify({ errors: [{ message, extensions: { code } }] }))]
  }),
) as Record<ToldReason, Buffer>

export function isTold(reason: CloseReason): reason is ToldReason {
  return reason in CODES
}

/**
 * The last blocks of an operation that admission ends. They have no position: the client's stays where it is. After
 * `complete` a native EventSource reconnects all the same, hence the long delay.
 */
export function lastBlocks(framing: Framing, reason: ToldReason): Buffer {
  const result = frame(framing.results, NO_CURSOR, RESULTS[reason])
  if (reason === 'expired') return Buffer.concat([result, framing.interrupted(plannedRetryMs())])
  return Buffer.concat([framing.retry(finalRetryMs()), result, framing.complete])
}

/**
 * Ends an outlet after the written bytes, with an instruction to the client: not to reconnect, or after which delay.
 */
export function endOutlet(outlet: Outlet, framing: Framing, reason: CloseReason): void {
  outlet.closing?.(reason)
  switch (reason) {
    case 'complete':
      outlet.end(framing.complete, true)
      break
    case 'client':
      outlet.end()
      break
    case 'stalled':
      outlet.destroy()
      break
    case 'failed':
      // Jittered delay for each client: the failure may recur.
      outlet.end(framing.interrupted(retryMs()))
      break
    case 'age':
    case 'shutdown':
      outlet.end(framing.interrupted(plannedRetryMs()))
      break
    case 'expired':
      outlet.end(lastBlocks(framing, reason))
      break
    case 'revoked':
    case 'blocked':
      outlet.end(lastBlocks(framing, reason), true)
      break
  }
}

/** Ends the outlet of a stream of several operations, of which each was told by `lastBlocks` where that is due. */
export function endStream(outlet: Outlet, reason: CloseReason): void {
  if (!isTold(reason)) {
    endOutlet(outlet, BY_ID, reason)
    return
  }
  outlet.closing?.(reason)
  outlet.end(retryBlock(reason === 'expired' ? plannedRetryMs() : finalRetryMs()))
}
