import { type MediaRange, mediaRanges } from './media-type.ts'

const PARTS = 'multipart/mixed'
/** Parts of one result that comes in increments (`@defer`), by their names at Apollo: no parts of ours. */
const INCREMENTS = new Set(['deferspec', 'incrementalspec'])

/**
 * What a range of an `accept` header counts as: `multipart/mixed` are the parts of a subscription. A range for the
 * increments of a query becomes one that nothing matches.
 */
export function typeOfParts(range: MediaRange): string {
  const { type, parameters } = range
  const isOther = type === PARTS && !namesSpec(range) && parameters.some(([name]) => INCREMENTS.has(name))
  return isOther ? 'multipart/x-increments' : type
}

/** Whether an `accept` header asks for parts by Apollo's protocol, with the heartbeats of that. */
export function asksForSubscriptionSpec(accept = ''): boolean {
  return mediaRanges(accept).some((range) => range.type === PARTS && namesSpec(range))
}

function namesSpec({ parameters }: MediaRange): boolean {
  return parameters.some(([name]) => name === 'subscriptionspec')
}
