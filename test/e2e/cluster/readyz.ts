import { get } from 'node:http'
import type { GatewayProcess } from '../../kit/gateway-process.ts'

const SAMPLE_EVERY_MS = 100
/** An instance that does not answer for this long is not ready. */
const ANSWER_MS = 1_000

export interface Sample {
  /** Milliseconds since the epoch, of the question. */
  readonly at: number
  readonly ready: boolean
}

/** Asks `/readyz` of some gateways ten times a second. */
export class ReadyzSampler {
  /** By gateway, in the order of the questions. */
  readonly samples: readonly Sample[][]
  #reasons = new Map<string, number>()
  readonly #timer: NodeJS.Timeout

  constructor(gateways: readonly GatewayProcess[]) {
    this.samples = gateways.map(() => [])
    this.#timer = setInterval(() => {
      for (const [i, gateway] of gateways.entries()) void this.#ask(i, gateway)
    }, SAMPLE_EVERY_MS)
  }

  /** What was said when one was not ready, and how often, since this was called the last time. */
  takeReasons(): ReadonlyMap<string, number> {
    const reasons = this.#reasons
    this.#reasons = new Map()
    return reasons
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #ask(i: number, gateway: GatewayProcess): void {
    const samples = this.samples[i] as { at: number; ready: boolean }[]
    const sample = { at: Date.now(), ready: false }
    samples.push(sample)
    const refused = (reason: string) => {
      const text = `${gateway.name}: ${reason.trim()}`
      this.#reasons.set(text, (this.#reasons.get(text) ?? 0) + 1)
    }
    // A connection each: one that is kept may be closed by the server just when it is asked on again.
    const options = { agent: false, timeout: ANSWER_MS }
    const request = get(`${gateway.adminUrl}/readyz`, options, (response) => {
      sample.ready = response.statusCode === 200
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => {
        if (!sample.ready) refused(body)
      })
    })
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', (error) => refused(error.message))
  }
}

export interface Readiness {
  /** Of the samples while events flowed, the part that was not ready, from 0 to 1. */
  readonly notReady: number
  /** The longest time without a ready sample while events flowed. */
  readonly longestMs: number
}

/**
 * What samples said between two moments, while events flowed.
 * @param flows whether events flowed at a moment
 */
export function readinessIn(
  samples: readonly Sample[],
  [from, to]: readonly [number, number],
  flows: (at: number) => boolean,
): Readiness {
  const asked = samples.filter(({ at }) => at >= from && at <= to && flows(at))
  let [bad, longestMs, since] = [0, 0, Number.NaN]
  for (const { at, ready } of asked) {
    if (ready) since = Number.NaN
    else {
      bad++
      if (Number.isNaN(since)) since = at
      longestMs = Math.max(longestMs, at - since + SAMPLE_EVERY_MS)
    }
  }
  return { notReady: asked.length === 0 ? 0 : bad / asked.length, longestMs }
}

/** Samples that are ready where any of the gateways was, asked at about the same time. */
export function anyReady(all: readonly (readonly Sample[])[]): Sample[] {
  const [first = [], ...others] = all
  return first.map(({ at, ready }, i) => ({ at, ready: ready || others.some((samples) => samples[i]?.ready) }))
}
