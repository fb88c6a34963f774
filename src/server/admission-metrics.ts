import { Counter, Gauge, type Registry } from 'prom-client'
import type { Admission } from '../admission/admission.ts'
import type { AdmissionCounts } from '../admission/admission-counts.ts'
import type { Limits } from '../admission/limits/limits.ts'
import { LIMIT_REASONS } from '../admission/limits/refusal.ts'
import type { Usage } from '../admission/usage/usage.ts'
import type { Engine } from '../delivery/engine.ts'

/** What of admission has metrics. */
export interface GateSources {
  readonly admission: Admission
  readonly limits: Limits
  readonly counts: AdmissionCounts
  readonly usage: Usage
}

/** Metrics of what was admitted and refused. */
export function addAdmission(registry: Registry, { counts, limits, usage }: GateSources, engine: Engine): void {
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
  const refusals: Counter = new Counter({
    name: 'sluice_refusals_total',
    help: 'Refusals by reason: the limit that was reached, or the code in lower case.',
    labelNames: ['reason'],
    registers,
    collect() {
      refusals.reset()
      for (const reason of LIMIT_REASONS) refusals.inc({ reason }, 0)
      for (const [reason, count] of counts.reasons) refusals.inc({ reason }, count)
      refusals.inc({ reason: 'groups' }, engine.groupLimit.refused)
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
