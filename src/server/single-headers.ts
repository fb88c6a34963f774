import { SluiceError } from '../errors/codes.ts'

/**
 * Request headers with one value. Node takes the first of some, and joins the values of others; a proxy or a filter in
 * front may take the last: what one of them has checked must not be another's than what the other uses. Credentials are
 * not among them: authentication counts those, and says what is wrong in its own words.
 */
const SINGLE: ReadonlySet<string> = new Set([
  'content-type',
  'host',
  'last-event-id',
  'origin',
  'sec-fetch-site',
  'x-graphql-event-stream-token',
])

/**
 * @param rawHeaders names and values in turn.
 * @throws SluiceError `BAD_REQUEST` for a header that came twice.
 */
export function demandSingleHeaders(rawHeaders: readonly string[]): void {
  let seen: Set<string> | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    if (!SINGLE.has(name)) continue
    if (seen?.has(name)) throw new SluiceError('BAD_REQUEST', `The request has the header "${name}" twice`)
    seen ??= new Set()
    seen.add(name)
  }
}
