import { type Block, dataOf } from './blocks.ts'
import { isRefusal } from './client-error.ts'
import type { Delivery } from './delivery.ts'
import { utf8 } from './header-text.ts'
import type { RequestBody, Result } from './operation.ts'
import { type Attempts, blocksOf, demand, pause } from './requests.ts'
import type { Running } from './running.ts'
import { Subscription } from './subscription.ts'

/** Runs a subscription on streams of its own, one after the other, until it ends. */
export function runDistinct(delivery: Delivery, body: RequestBody, attempts: Attempts): Running {
  const stopped = new AbortController()
  const text = body({ markers: true })
  let stream = new AbortController()

  async function run(): Promise<void> {
    const hints = new Subscription()
    // A subscription that is stopped in the turn in which it began costs no request.
    await Promise.resolve()
    while (!delivery.isEnded) {
      stream = new AbortController()
      const { signal } = stream
      const number = hints.begin(undefined)
      let cause: unknown
      try {
        const headers: Record<string, string> = {}
        if (delivery.resumeAt) headers['last-event-id'] = utf8(delivery.resumeAt)
        const request = { method: 'POST', accept: 'text/event-stream', headers, body: text, signal } as const
        const response = await demand(request, 'stream', attempts, hints)
        for await (const block of blocksOf(response, signal, attempts)) {
          const isMarker = await take(block)
          if (delivery.isEnded) break
          // Any stream gets its marker at once: it is no proof that the gateway can serve.
          hints.take(number, block, !isMarker)
        }
      } catch (error) {
        cause = signal.aborted ? undefined : error
      }
      // Whatever is left of it is not read any more.
      stream.abort()
      if (isRefusal(cause)) delivery.refuse(cause)
      if (delivery.isEnded) return
      hints.failures++
      delivery.broke(cause)
      await pause(hints, stopped.signal, attempts)
    }
  }

  /** @returns whether it is the marker, once more can be taken. */
  async function take(block: Block): Promise<boolean> {
    if (block.event === 'complete') {
      delivery.complete()
      return false
    }
    const payload = block.event === 'next' && block.hasData ? (dataOf(block) as Result) : undefined
    await delivery.take(payload, block.id)
    return payload?.extensions?.caughtUp === true
  }

  void run()
  return {
    stop() {
      stopped.abort()
      stream.abort()
    },
    cut: () => stream.abort(),
  }
}
