import type { IncomingMessage } from 'node:http'
import { type SentLines, sendLines } from '../streams/publish/send-lines.ts'
import type { Sink } from '../streams/source/port.ts'
import type { Topic } from '../streams/topic/topic.ts'
import { linesOf } from '../transport/lines.ts'

export const PRODUCE_PATH = '/produce'

/** An event may take as many bytes as a record of Kafka's default, with every character escaped. */
const MAX_LINE_BYTES = 8 * 1024 * 1024
/** Who has more sends it in several requests, each of which has a limit of time. */
const MAX_BODY_BYTES = 32 * 1024 * 1024

/** The embedded log of this process, and the topics in it. */
export interface Producible {
  readonly sink: Sink
  // biome-ignore lint/suspicious/noExplicitAny: topics of different events stand side by side here
  readonly topics: readonly Topic<any, any>[]
}

interface Answer {
  readonly status: number
  readonly body: SentLines | string
}

/**
 * Answers `POST /produce?topic=…`: lines of JSON become records of the embedded log, checked by the topic's schema. A web
 * page could have a browser send them: a request with an `Origin`, as those of browsers have, is refused.
 */
export async function produce(
  request: IncomingMessage,
  query: URLSearchParams,
  producible: Producible | undefined,
): Promise<Answer> {
  if (!producible) return { status: 404, body: 'Events of Kafka are sent to Kafka: this gateway has no embedded log' }
  if (request.headers.origin !== undefined) return { status: 403, body: 'Events are not taken from web pages' }
  const name = query.get('topic')
  const topic = producible.topics.find((each) => each.name === name)
  if (!topic) {
    const names = producible.topics.map((each) => each.name).join(', ')
    return { status: 404, body: `"topic" names one of this gateway's topics: ${names}` }
  }
  const format = { isRecord: query.get('records') === 'true', key: query.get('key') ?? undefined, topic }
  try {
    const lines = linesOf(limited(request), MAX_LINE_BYTES)
    const sent = await sendLines({
      sink: producible.sink,
      topic: topic.name,
      lines,
      format,
      maxLineBytes: MAX_LINE_BYTES,
    })
    return { status: 200, body: sent }
  } catch (error) {
    if (error instanceof BodyTooLarge) return { status: 413, body: error.message }
    throw error
  }
}

class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

async function* limited(request: IncomingMessage): AsyncGenerator<Buffer, void> {
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES)
      throw new BodyTooLarge(`A request sends ${MAX_BODY_BYTES} bytes at most: what came before is in the log`)
    yield chunk
  }
}
