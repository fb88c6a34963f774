export interface PausableFetch {
  readonly fetch: typeof globalThis.fetch
  /** Stops reading bodies: the network's buffers fill, then the gateway's. */
  pause(): void
  resume(): void
  readonly isPaused: boolean
}

/** A fetch with a switch that stops reading its bodies, as in a tab whose thread is busy. */
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
            // It may be paused again before a waiting read continues.
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
