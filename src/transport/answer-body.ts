import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { gzip, gzipSync } from 'node:zlib'
import type { Principal } from '../admission/principal.ts'
import { type AcceptedCodings, PLAIN_ONLY } from '../protocol/content-coding.ts'

/** Smaller bodies are a packet anyway. */
const MIN_BYTES = 1_024
/** Up to this size a body is compressed at once, in half a millisecond; a larger one in another thread. */
const MAX_SYNC_BYTES = 16 * 1024
/** Of zlib: half the time of its default, for some percent more bytes. */
const LEVEL = 4

/** A response of the public server. */
export interface AnswerResponse extends ServerResponse {
  /** Content codings that its client accepts; absent: answers are plain. */
  codings?: AcceptedCodings
  /** Who its request is from, once that is known. */
  principal?: Principal
  /** Counts a refusal by the code of its error. */
  refused?(code: unknown): void
  /** See `AnswerBudget`. */
  holdIfRoom?(bytes: number): { release(): void } | undefined
}

/** Sends an answer at once, or when it has been compressed: where its client accepts that, and it is worth it. */
export function answerBody(response: AnswerResponse, status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
  const { codings = PLAIN_ONLY } = response
  if (!codings.prefersGzip || (body.length < MIN_BYTES && codings.acceptsPlain)) {
    sendBody(response, status, headers, body)
    return
  }
  const codedHeaders = { ...headers, 'content-encoding': 'gzip' }
  if (body.length <= MAX_SYNC_BYTES) {
    sendBody(response, status, codedHeaders, gzipSync(body, { level: LEVEL }))
    return
  }
  const share = response.holdIfRoom?.(body.length)
  if (!share) {
    sendBody(response, status, headers, body)
    return
  }
  gzip(body, { level: LEVEL }, (error, coded) => {
    share.release()
    try {
      if (error) sendBody(response, status, headers, body)
      else sendBody(response, status, codedHeaders, coded)
    } catch (thrown) {
      // Nobody could handle it here. Its client sees the connection close.
      response.destroy(thrown as Error)
    }
  })
}

/** Sends an answer as it is. */
export function sendBody(response: ServerResponse, status: number, headers: OutgoingHttpHeaders, body: Buffer): void {
  response.writeHead(status, { ...headers, 'content-length': body.length })
  response.end(body)
}
