/** Of the gateway: as the page's `?gateway=` says, or that of `npm start`. */
export const gateway = new URL(
  new URLSearchParams(location.search).get('gateway') ?? 'http://127.0.0.1:4000/graphql',
  location.href,
).href

let broken = new AbortController()

/** A `fetch` that the page's button can cut, as a network would: what is open breaks, and may be asked for again. */
export const cuttableFetch: typeof fetch = (input, init) => {
  const signal = init?.signal ? AbortSignal.any([init.signal, broken.signal]) : broken.signal
  return fetch(input, { ...init, signal })
}

export function cutConnections(): void {
  broken.abort(new TypeError('The connection was cut'))
  broken = new AbortController()
}
