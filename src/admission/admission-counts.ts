import type { AdmissionObserver, Refusal } from './admission-observer.ts'

/** Counts what admission decides. Reasons are codes and limits, of which there are few. */
export class AdmissionCounts implements AdmissionObserver {
  operations = 0
  refusals = 0
  readonly reasons = new Map<string, number>()

  admitted(): void {
    this.operations++
  }

  refused({ reason }: Refusal): void {
    this.refusals++
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1)
  }
}
