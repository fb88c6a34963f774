import type { CloseReason } from '../delivery/outlet.ts'
import type { StreamSocket } from './stream-socket.ts'

/** Is told of every stream, of all modes, once when it opens and once when its socket has closed. Must not block. */
export interface StreamObserver {
  /** Before its first block. */
  opened(stream: StreamSocket): void
  /** Its counters are final. `reason`: that of the first that ended it; `client`, if nobody here did. */
  closed(stream: StreamSocket, reason: CloseReason): void
}
