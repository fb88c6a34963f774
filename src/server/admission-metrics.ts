import { Counter, Gauge, type Registry } from 'prom-client'
import type { Admission } from '../admission/admission.ts'
import type { AdmissionCounts } from '../admission/admission-counts.ts'
import type { Limits } from '../admission/limits/limits.ts'
import { LIMIT_REASONS } from '../admission/limits/refusal.ts'
import type { Usage } from '../admission/usage/usage.ts'
import type { Engine } from '../delivery/engine.ts'
import type { RefusalCounts } from '../errors/refusal-counts.ts'

/** What of admission has metrics. */
export interface GateSources {
  readonly admission: Admission
  readonly limits: Limits
  readonly counts: AdmissionCounts
  readonly usage: Usage
}

/** Metrics of what was admitted and refused. */
export function addAdmission(
  registry: Registry,
  { counts, limits, usage }: GateSources,
  engine: Engine,
  refusals: RefusalCounts,
): void {
  const registers = [registry]
  const admissions: Counter = new Counter({
    name: 'sluice_admissions_total',
    help: 'Operations admitted; and requests and operations refused by admission, of which the reasons are another metric.',
    labelNames: ['outcome'],
    registers,
    collect() {
      admissions.reset()
      admissions.inc({ outcome: 'admitted' }, counts.operations)
      admissions.inc({ outcome: 'refused' }, counts.refusals + engine.groupLimit.refused)
    },
  })
  const refused: Counter = new Counter({
    name: 'sluice_refusals_total',
    help: 'Requests and operations answered with an error and not run, by its code.',
    labelNames: ['code'],
    registers,
    collect() {
      refused.reset()
      for (const [code, count] of refusals.byCode) refused.inc({ code }, count)
    },
  })
  const limited: Counter = new Counter({
    name: 'sluice_limit_refusals_total',
    help: 'Refusals by limits of principals and addresses, and of groups: of the code RATE_LIMITED.',
    labelNames: ['limit'],
    registers,
    collect() {
      limited.reset()
      for (const limit of LIMIT_REASONS) limited.inc({ limit }, counts.reasons.get(limit) ?? 0)
      limited.inc({ limit: 'groups' }, engine.groupLimit.refused)
    },
  })
  const streams: Gauge = new Gauge({
    name: 'sluice_streams_by_kind',
    help: 'Open streams by the kind of their credentials.',
    labelNames: ['kind'],
    registers,
    collect() {
      streams.reset()
      for (const kind of ['anonymous', 'token', 'key']) streams.set({ kind }, 0)
      for (const { kind, streams: open } of usage.all()) streams.inc({ kind }, open)
    },
  })
  const bytes: Gauge = new Gauge({
    name: 'sluice_limits_bytes',
    help: 'Estimated bytes of what is counted for principals and addresses.',
    registers,
    collect: () => bytes.set(limits.bytes),
  })
}
