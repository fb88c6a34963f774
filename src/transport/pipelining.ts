import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Number of requests on each connection that have not been answered completely. */
const unanswered = new WeakMap<Socket, number>()

/** In place of the response that is being answered: what Node's server reads of one. */
const NEVER_ANSWERED = Object.freeze({ finished: true, _headerSent: true, emit: () => false })
/** The response that is being answered on a connection, as Node's server keeps it. */
type Answering = Socket & { _httpMessage?: unknown }

/** Nothing is answered on this connection any more. */
function isTaken(socket: Answering): boolean {
  return socket._httpMessage === NEVER_ANSWERED
}

/**
 * Serializes pipelined requests (RFC 9112 section 9.3.2): a request waits until those before it have been answered. One
 * of them may be answered by a stream, after which no response can follow. Never resolves if the connection closes
 * before.
 */
export async function inOrder(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { socket } = request
  if (isTaken(socket)) {
    socket.destroy()
    return await new Promise(() => {})
  }
  unanswered.set(socket, (unanswered.get(socket) ?? 0) + 1)
  let answered = false
  const onAnswered = (): void => {
    if (answered) return
    answered = true
    unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1)
  }
  response.once('finish', onAnswered)
  response.once('close', onAnswered)
  if (!response.socket) await once(response, 'socket')
}

/** Whether a request of this connection is being answered: nothing else may be written then. */
export function isAnswering(socket: Socket): boolean {
  return isTaken(socket) || (unanswered.get(socket) ?? 0) > 0
}

/** Whether another request is queued behind the one that is being answered. */
export function isFollowed(socket: Socket): boolean {
  return (unanswered.get(socket) ?? 0) > 1
}

/**
 * Takes the connection from its request and response. Node may be in the middle of a packet in which other requests
 * follow: it runs microtasks there, within a long head. Their responses must never get the socket, not even those that
 * Node writes by itself. It gives it to the next one where `_httpMessage` says that none has it, and there is no other
 * way to tell it.
 */
export function takeConnection(response: ServerResponse, socket: Answering): void {
  response.detachSocket(socket)
  socket._httpMessage = NEVER_ANSWERED
  unanswered.delete(socket)
}
