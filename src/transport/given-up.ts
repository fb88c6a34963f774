import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * A connection that its client closes so soon after an answer was not closed for being idle: `fetch` keeps those of a
 * pool for 4 s and more. It covers the round trip, without a proxy, in which an answer and the end of its request cross
 * each other.
 */
const CROSSING_MS = 100
/** What a proxy adds. It may close its connection after each answer. */
const OF_PROXIES = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-proto', 'x-real-ip']

interface Answered {
  readonly giveUp: () => void
  /** Whether the connection would be kept: then its mere end tells. */
  readonly isKept: boolean
  /** In milliseconds of the monotonic clock. */
  readonly at: number
}

/** The connections by which a client's requests for one stream come. */
export class ClientConnections {
  /** Those with one request, until one of them has brought two. */
  #seen: WeakSet<Socket> | undefined = new WeakSet()

  /** Whether they stay after an answer, as far as is known. */
  get areKept(): boolean {
    return this.#seen === undefined
  }

  saw(socket: Socket | null): void {
    if (!socket || !this.#seen) return
    if (this.#seen.has(socket)) this.#seen = undefined
    else this.#seen.add(socket)
  }
}

/** The last answer on each connection, while it is not known whether its client has taken it. */
const answered = new WeakMap<Socket, Answered>()
const watched = new WeakSet<Socket>()

/** Another request has come on a connection: the answer before it was taken. */
export function answerTaken(socket: Socket): void {
  answered.delete(socket)
}

/**
 * Watches for a client that gives up a request: it closes the connection before it is answered, or while the answer is on
 * its way to it.
 * @param keeps whether the client, or what is in front of it, is known to keep a connection after an answer: then its
 * mere end tells
 * @param beforeAnswer and afterAnswer: called in these cases, one of them once at most.
 */
export function onGivenUp(
  response: ServerResponse,
  keeps: boolean,
  beforeAnswer: () => void,
  afterAnswer: () => void,
): void {
  const { req: request, socket } = response
  response.once('close', () => {
    if (!response.writableFinished) beforeAnswer()
    else if (socket && isOfFetch(request)) {
      const isKept = keeps && response.shouldKeepAlive && isDirect(request)
      watch(socket, { giveUp: afterAnswer, isKept, at: performance.now() })
    }
  })
}

/**
 * Whether the client of a request has given it up already: its end may have come together with it, and is read in the
 * turn after it.
 */
export async function isGivenUp(response: ServerResponse): Promise<boolean> {
  await nextTurn()
  await nextTurn()
  return response.destroyed || response.req.socket.readableEnded
}

function watch(socket: Socket, last: Answered): void {
  // It closed meanwhile.
  if (tells(socket, last)) {
    last.giveUp()
    return
  }
  answered.set(socket, last)
  if (watched.has(socket)) return
  watched.add(socket)
  socket.once('close', () => {
    const current = answered.get(socket)
    if (current && performance.now() - current.at < CROSSING_MS && tells(socket, current)) current.giveUp()
  })
}

/** A reset is for an answer that was not read (RFC 9293 section 3.6.1): whoever has taken it ends the connection. */
function tells({ readableEnded, errored }: Socket, { isKept }: Answered): boolean {
  return errored !== null || (isKept && readableEnded)
}

/** Browsers and Node send this with `fetch`. Others, as curl, close their connections as they like. */
function isOfFetch({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-mode'] !== undefined
}

/** Such clients keep a connection for later requests. */
function isDirect({ headers, socket }: IncomingMessage): boolean {
  return socket.remoteAddress !== undefined && !OF_PROXIES.some((name) => headers[name] !== undefined)
}
