export interface PausableFetch {
  readonly fetch: typeof globalThis.fetch
  /** Bodies are not read any more: what the network holds fills up, and then the gateway's side of it. */
  pause(): void
  resume(): void
  readonly isPaused: boolean
}

/** A fetch whose bodies can be left unread, as a tab that is too busy leaves them. */
export function createPausableFetch(): PausableFetch {
  let isPaused = false
  let resumed = Promise.withResolvers<void>()
  return {
    get isPaused() {
      return isPaused
    },
    pause() {
      if (isPaused) return
      isPaused = true
      resumed = Promise.withResolvers()
    },
    resume() {
      isPaused = false
      resumed.resolve()
    },
    async fetch(input, init) {
      const response = await globalThis.fetch(input, init)
      const reader = response.body?.getReader()
      if (!reader) return response
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
        {
          async pull(controller) {
            // Whoever waits may be paused again before it goes on.
            while (isPaused) await resumed.promise
            const { value, done } = await reader.read()
            if (done) controller.close()
            else controller.enqueue(value)
          },
          cancel: (reason) => reader.cancel(reason),
        },
        // Nothing is read ahead of who asks.
        { highWaterMark: 0 },
      )
      const { status, statusText, headers } = response
      return new Response(body, { status, statusText, headers })
    },
  }
}
