import { setTimeout as delay } from 'node:timers/promises'
import { type OutgoingRecord, type Sink, SourceUnavailable } from '../source/port.ts'
import { type LineFormat, LineRefused, recordOfLine } from './line-record.ts'

/** A broker that restarts is back within this; a longer outage is told, and what is left is not sent. */
const RETRY_FOR_MS = 30_000
const RETRY_FIRST_MS = 100
const RETRY_LAST_MS = 2_000
/** Lines that are named as refused: the rest is only counted. */
export const MAX_NAMED = 20

/** One line of the input. */
export interface InputLine {
  /** From 1 on. */
  readonly number: number
  readonly bytes: Buffer
  readonly isTooLong: boolean
}

export interface SendLinesOptions {
  readonly sink: Sink
  readonly topic: string
  /** As they came: those of one chunk are sent together. */
  readonly lines: AsyncIterable<readonly InputLine[]>
  readonly format: LineFormat
  /** Limit of a line, for the sentence about a longer one. */
  readonly maxLineBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface SentLines {
  readonly sent: number
  readonly refused: number
  /** The first of those that were refused. */
  readonly reasons: readonly { readonly line: number; readonly reason: string }[]
  /** Why the rest of the lines was not sent. */
  readonly failure?: string
}

/**
 * Sends the records that lines of JSON say, in their order, in batches; empty lines are left out. A line that is no
 * record is refused, and the others go on. A batch that was sent again, since its answer was lost, may be there twice.
 */
export async function sendLines(options: SendLinesOptions): Promise<SentLines> {
  const { lines, format, maxLineBytes } = options
  const reasons: { line: number; reason: string }[] = []
  let sent = 0
  let refused = 0
  const refuse = (line: number, reason: string) => {
    refused++
    if (reasons.length < MAX_NAMED) reasons.push({ line, reason })
  }
  try {
    for await (const group of lines) {
      const batch: OutgoingRecord[] = []
      for (const { number, bytes, isTooLong } of group) {
        if (isTooLong) refuse(number, `It is longer than ${maxLineBytes} bytes`)
        else if (!isBlank(bytes)) {
          try {
            batch.push(recordOfLine(bytes, format))
          } catch (error) {
            if (!(error instanceof LineRefused)) throw error
            refuse(number, error.message)
          }
        }
      }
      if (batch.length > 0) await sendBatch(options, batch)
      sent += batch.length
    }
    return { sent, refused, reasons }
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error
    return { sent, refused, reasons, failure: error.message }
  }
}

const isBlank = (line: Buffer) => line.every((byte) => byte === 32 || byte === 9)

/** @throws SourceUnavailable with the last reason. */
async function sendBatch({ sink, topic, signal }: SendLinesOptions, batch: readonly OutgoingRecord[]): Promise<void> {
  const end = performance.now() + RETRY_FOR_MS
  for (let wait = RETRY_FIRST_MS; ; wait = Math.min(2 * wait, RETRY_LAST_MS)) {
    try {
      return await sink.send(topic, batch)
    } catch (error) {
      const isOver = signal?.aborted || performance.now() + wait > end
      if (!(error instanceof SourceUnavailable) || error.notAppended === 'unknown_topic' || isOver) throw error
      await delay(wait, undefined, { ...(signal && { signal }) }).catch(() => {})
    }
  }
}
