/**
 * An operator's ten questions, each answered by what the gateway says of itself: /inspect.json, /metrics, /readyz and
 * the log. docs/operations.md has where to look; these do what it says.
 */
import type { Inspection } from '../../src/server/inspect/inspection.ts'
import { metricIn } from '../kit/gateway.ts'
import type { LogLine } from '../kit/log-lines.ts'

/** Of one instance, at one moment. */
export interface Evidence {
  readonly inspection: Inspection
  readonly metrics: string
  readonly log: readonly LogLine[]
}

/** 1. Who is slow? Whoever has been sent most that was not taken. */
export function whoIsSlow({ inspection: { slow } }: Evidence) {
  return slow.members.map(({ principal, address, operation, requestId, behind }) => ({
    principal,
    address,
    operation: operation.name,
    requestId,
    bytes: behind.bytes,
  }))
}

/** 2. Which operation costs most? By CPU time a second, not by members. */
export function whichOperationCosts({ inspection: { groups } }: Evidence) {
  const [first] = groups.costliest
  return first && { operation: first.operation.name, hash: first.operation.hash, cpuMs: first.cpuMsPerSecond }
}

/** 3. How late are clients? Of live ones the metric says it; of others, how far each is behind. */
export function howLateAreClients({ inspection: { replays }, metrics }: Evidence, topic: string) {
  const of = (name: string) => metricIn(metrics, `sluice_event_age_seconds_${name}`, { topic })
  return {
    liveSeconds: of('sum') / of('count'),
    replays: replays.members.map(({ requestId, behind, replay }) => ({
      requestId,
      ms: behind.ms,
      offsets: replay?.offsetsBehind,
    })),
  }
}

/** 4. Why did this stream end? By the request id that its client was answered; of older ones, by the log. */
export function whyDidItEnd(evidence: Evidence, requestId: string): string | undefined {
  const { inspection, log } = evidence
  const end = inspection.ends.latest.find((each) => each.requestId === requestId)
  const refused = inspection.refusals.latest.find((each) => each.requestId === requestId)
  const line = log.find(({ msg, requestId: id }) => msg === 'Stream ended' && id === requestId)
  return end?.reason ?? refused?.code ?? (line?.reason as string | undefined)
}

/** 5. What is skipped, and why? */
export function whatIsSkipped({ inspection: { topics } }: Evidence, topic: string) {
  return topics.find(({ name }) => name === topic)?.skipped ?? {}
}

/** 6. What does this principal do? */
export function whatDoes({ inspection: { principals } }: Evidence, principal: string) {
  return principals.shown.find((each) => each.principal === principal)
}

/** 7. Which topic waits, and for what? */
export function whichTopicWaits({ inspection: { topics } }: Evidence) {
  return topics.flatMap(({ name, state, note }) => (state === 'ready' ? [] : [{ name, why: note }]))
}

/** 8. Is it safe to restart this instance? If nothing of its own speaks against it, and another one is ready. */
export function isSafeToRestart({ inspection: { restart } }: Evidence, others: readonly Evidence[]) {
  const isAnotherReady = others.some(({ inspection }) => inspection.health.isReady)
  const blockers = [...restart.blockers, ...(isAnotherReady ? [] : ['No other instance is ready'])]
  return { isSafe: blockers.length === 0, blockers, notes: restart.notes }
}

/** 9. How full is it? The limits of which most is used. */
export function howFull({ inspection: { limits } }: Evidence) {
  return limits
    .filter(({ limit }) => limit !== null)
    .sort((a, b) => b.share - a.share)
    .map(({ name, used, limit, share }) => ({ name, used, limit, share }))
}

/** 10. What has changed? The newest first. */
export function whatChanged({ inspection: { changes } }: Evidence): string[] {
  return changes.map(({ kind, about, what }) => `${kind} ${about}: ${what}`)
}
