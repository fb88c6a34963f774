/** The network between a client and its gateway, which a test can cut, and keep cut. */
export class Line {
  #broken = new AbortController()
  #isDown = false
  /** Requests that were sent, those that failed included. */
  requests = 0

  readonly fetch: typeof globalThis.fetch = async (input, init = {}) => {
    this.requests++
    if (this.#isDown) throw new TypeError('The line is down')
    const { signal: broken } = this.#broken
    const signal = init.signal ? AbortSignal.any([init.signal, broken]) : broken
    const response = await fetch(input, { ...init, signal })
    const body = response.body?.pipeThrough(new TransformStream({ transform: (chunk, to) => to.enqueue(calm(chunk)) }))
    return new Response(body ?? null, response)
  }

  /** Breaks all that is open. */
  cut(): void {
    this.#broken.abort(new TypeError('The line was cut'))
    this.#broken = new AbortController()
  }

  down(): void {
    this.#isDown = true
    this.cut()
  }

  up(): void {
    this.#isDown = false
  }
}

/** The gateway's `retry:` is a second and more: too long for a test of many cuts. */
function calm(chunk: Uint8Array): Uint8Array {
  const text = Buffer.from(chunk).toString('latin1')
  return Buffer.from(text.replace(/retry: \d+/, 'retry: 0'), 'latin1')
}
