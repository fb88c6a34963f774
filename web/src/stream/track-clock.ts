import { ClockDocument } from '../gql/graphql.ts'
import { type ClockBounds, narrow, nextSampleIn, UNKNOWN, uncertaintyOf } from './clock.ts'

/** At first, a second apart: each one halves what is unknown. */
const FIRST_SAMPLES = 8
/** Good enough for a figure in milliseconds that includes a network. */
const ENOUGH_MS = 15
/** Clocks drift, and are set. */
const AGAIN_MS = 60_000

/** Compares the gateway's clock with the page's, for as long as the page lives. */
export function trackClock(url: string, onBounds: (bounds: ClockBounds) => void): void {
  let bounds = UNKNOWN
  let samples = 0
  const body = JSON.stringify({ query: String(ClockDocument) })
  const sample = async () => {
    const sentAt = Date.now()
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const receivedAt = Date.now()
    const date = Date.parse(response.headers.get('date') ?? '')
    if (Number.isNaN(date)) return
    bounds = narrow(bounds, { sentAt, receivedAt, date })
    onBounds(bounds)
  }
  const next = async () => {
    samples++
    // An unreachable gateway is shown by the state pill already.
    if (!document.hidden) await sample().catch(() => {})
    const isEnough = samples >= FIRST_SAMPLES || uncertaintyOf(bounds) < ENOUGH_MS
    // Drift since the last time: what is known gets a little less certain.
    if (isEnough) bounds = { low: bounds.low - ENOUGH_MS / 4, high: bounds.high + ENOUGH_MS / 4 }
    setTimeout(() => void next(), isEnough ? AGAIN_MS : nextSampleIn(bounds, Date.now()))
  }
  void next()
}
