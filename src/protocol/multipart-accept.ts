/** A media range for parts, with its parameters; a quoted value may contain commas. */
const RANGE = /(multipart\/mixed)\s*((?:;(?:[^,"]|"(?:[^"\\]|\\.)*")*)?)(?=,|$)/gi
/** Parts of one result that comes in increments (`@defer`), by their names at Apollo: no parts of ours. */
const INCREMENTS = /;\s*(?:defer|incremental)Spec\s*=/i
const SUBSCRIPTIONS = /;\s*subscriptionSpec\s*=/i
const Q = /;\s*q\s*=\s*[\d.]+/i

/**
 * An `accept` header in which `multipart/mixed` means the parts of a subscription, with no parameter but `q`. A range for
 * the increments of a query becomes one that nothing matches.
 */
export function withSubscriptionParts(accept: string): string {
  return accept.replace(RANGE, (_range, type: string, parameters: string) =>
    !SUBSCRIPTIONS.test(parameters) && INCREMENTS.test(parameters)
      ? 'multipart/x-increments'
      : type + (Q.exec(parameters)?.[0] ?? ''),
  )
}

/** Whether an `accept` header asks for parts by Apollo's protocol, with the heartbeats of that. */
export function asksForSubscriptionSpec(accept = ''): boolean {
  return [...accept.matchAll(RANGE)].some(([, , parameters = '']) => SUBSCRIPTIONS.test(parameters))
}
