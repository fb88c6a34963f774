import { type Block, BlockReader } from './blocks.ts'
import { ResumeError } from './resume-error.ts'
import { type Alarm, timer } from './retry.ts'

export interface Limits {
  /** How long a stream may be silent, ms. Infinity: indefinitely. */
  readonly heartbeatTimeoutMs: number
  readonly maxBlockBytes: number
}

export interface Watcher {
  /** This block is about to be handed on. */
  handing(block: Block): void
  /** This block was handed on, and the next one has been asked for. */
  taken(block: Block): void
  /** The stream is about to end, by an error or without one; or its reader wants no more of it. */
  ended(cancelled: boolean): void
}

/**
 * A stream of the same bytes, one whole block a chunk; the rest of a block that was cut is dropped. Nothing is read
 * ahead of whoever reads it (the high-water mark is 0), so a block that was handed on is in its reader's hands, and
 * counts as taken once the next is asked for.
 *
 * The end comes in a turn of the event loop of its own. graphql-sse needs that: an end or an error in the turn of the
 * last message, before its consumer waits again, leaves it waiting indefinitely, or is final to it.
 */
export function wholeBlocks(
  source: ReadableStream<Uint8Array>,
  limits: Limits,
  watcher: Watcher,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  const blocks = read(reader, limits)
  let handed: Block | undefined
  let cancelled = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (handed) watcher.taken(handed)
        handed = undefined
        let end = () => controller.close()
        try {
          const { value } = await blocks.next()
          if (cancelled) return
          if (value) {
            handed = value
            watcher.handing(value)
            return controller.enqueue(value.bytes)
          }
        } catch (error) {
          end = () => controller.error(error)
          // The error is on its way already, and the connection may be gone: how its end goes is of no interest.
          reader.cancel(error).catch(() => {})
        }
        await turn()
        if (cancelled) return
        watcher.ended(false)
        end()
      },
      cancel(reason) {
        cancelled = true
        watcher.ended(true)
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

/**
 * The blocks of a stream, as they come.
 * @throws ResumeError STREAM_SILENT, BLOCK_TOO_LARGE
 */
export async function* read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { heartbeatTimeoutMs, maxBlockBytes }: Limits,
  alarm?: Alarm,
): AsyncGenerator<Block, undefined> {
  const blocks = new BlockReader(maxBlockBytes)
  for (;;) {
    const { value } = await within(heartbeatTimeoutMs, reader.read(), alarm)
    if (!value) return
    yield* blocks.read(value)
  }
}

/** @throws ResumeError STREAM_SILENT when the work takes longer than this; it is left to itself then. */
export function within<T>(ms: number, work: Promise<T>, alarm: Alarm = timer): Promise<T> {
  if (ms === Number.POSITIVE_INFINITY) return work
  return new Promise((resolve, reject) => {
    const late = () => reject(new ResumeError('STREAM_SILENT', `Nothing came for ${ms} ms`))
    const cancel = alarm(ms, late)
    work.then(resolve, reject).finally(cancel)
  })
}

/** Until everything has run that waits for what has been done in this turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
