import type { OpenStream } from '../../admission/open-stream.ts'
import type { StreamOwner } from '../../admission/stream-owner.ts'
import type { SingleConnections } from '../../transport/single/connections.ts'
import type { StreamSockets } from '../../transport/stream-sockets.ts'
import { Pace } from './pace.ts'

/** Open streams that are shown of one client. */
const MAX_SHOWN_STREAMS = 100

export interface OpenStreamReport {
  readonly requestId: string
  readonly principal: string
  readonly address: string
  /** Null: the stream carries several operations. */
  readonly operation: { readonly name: string | null; readonly hash: string } | null
  readonly transport: string
  readonly openSeconds: number
  readonly events: number
  readonly bytes: number
}

export interface StreamSources {
  readonly sockets: StreamSockets
  readonly single: SingleConnections
}

/** The open streams of some owners, and the operations of those that carry several; some looks in each turn. */
export async function openStreamsOf(
  { sockets, single }: StreamSources,
  isWanted: (owner: StreamOwner) => boolean,
): Promise<{ readonly count: number; readonly shown: readonly OpenStreamReport[] }> {
  const shown: OpenStreamReport[] = []
  let count = 0
  const pace = new Pace()
  const take = (stream: OpenStream): void => {
    if (!isWanted(stream.owner)) return
    count++
    if (shown.length < MAX_SHOWN_STREAMS) shown.push(reported(stream))
  }
  for (const stream of sockets) {
    take(stream)
    if (pace.isTurnUsedUp()) await pace.next()
  }
  for (const stream of single) {
    for (const operation of stream.operations) {
      if (operation.hasStarted) take(operation)
      if (pace.isTurnUsedUp()) await pace.next()
    }
  }
  return { count, shown }
}

function reported({ owner, transport, openedAt, events, bytesWritten }: OpenStream): OpenStreamReport {
  const { identity, address, requestId, operation } = owner
  return {
    requestId,
    principal: identity.principal.id,
    address,
    operation: operation ? { name: operation.name ?? null, hash: operation.hash } : null,
    transport,
    openSeconds: Math.round((performance.now() - openedAt) / 100) / 10,
    events,
    bytes: bytesWritten,
  }
}
