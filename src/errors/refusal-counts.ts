import { ERRORS, type ErrorCode } from './codes.ts'

/** Codes of results and events: what they are about was not refused, but admitted, and failed or ended. */
const OF_RESULTS: ReadonlySet<ErrorCode> = new Set([
  'CURSOR_EXPIRED',
  'OPERATION_ABANDONED',
  'PUBLISH_FAILED',
  'PUBLISH_UNCONFIRMED',
  'EVENT_TOO_LARGE',
  'STREAM_INTERRUPTED',
  'RESULT_TOO_LARGE',
  'RESOLVER_TIMEOUT',
])
/** A code that is none of this gateway's: rules that live elsewhere have their own. */
const OTHER = 'OTHER'

/** Requests and operations that were answered with an error and not run, each counted once, by the first error's code. */
export class RefusalCounts {
  readonly byCode = new Map<string, number>(
    [...(Object.keys(ERRORS) as ErrorCode[]).filter((code) => !OF_RESULTS.has(code)), OTHER].map((code) => [code, 0]),
  )

  readonly tell = (given: unknown): void => {
    const code = typeof given === 'string' && Object.hasOwn(ERRORS, given) ? given : OTHER
    this.byCode.set(code, (this.byCode.get(code) ?? 0) + 1)
  }
}
