import type { Group } from '../../delivery/group/group.ts'

/** The shortest time that a rate is of: with less, one event would be a rate. */
const MIN_MS = 500

export interface GroupRates {
  readonly executionsPerSecond: number
  readonly framesPerSecond: number
  readonly bytesPerSecond: number
  /** CPU time of its executions. */
  readonly cpuMsPerSecond: number
}

interface Sample extends GroupRates {
  readonly at: number
  readonly executions: number
  readonly frames: number
  readonly bytes: number
}

/** Of a group that was not looked at yet. */
const NONE: GroupRates = { executionsPerSecond: 0, framesPerSecond: 0, bytesPerSecond: 0, cpuMsPerSecond: 0 }

/**
 * What groups do a second: since the last time that one looked, or since the group was created. Nothing is counted for it
 * beside what is there.
 */
export class Rates {
  readonly #samples = new WeakMap<Group, Sample>()

  of(group: Group): GroupRates {
    const { executionsPerSecond, framesPerSecond, bytesPerSecond, cpuMsPerSecond } = this.#samples.get(group) ?? NONE
    return { executionsPerSecond, framesPerSecond, bytesPerSecond, cpuMsPerSecond }
  }

  /** `now` in milliseconds of the monotonic clock. */
  read(group: Group, now: number): GroupRates {
    const before = this.#samples.get(group)
    if (before && now - before.at < MIN_MS) return before
    const { executions, cpuMs } = group.renderer.cost
    const { flushed: frames, sentBytes: bytes } = group
    const ms = Math.max(MIN_MS, now - (before?.at ?? group.createdAt))
    const perSecond = (count: number, counted: number): number => Math.round(((count - counted) / ms) * 10_000) / 10
    // A group that shares its operation with older ones begins with what these have had executed.
    const executionsPerSecond = perSecond(executions, before?.executions ?? group.executionsBefore)
    const sample: Sample = {
      at: now,
      executions,
      frames,
      bytes,
      executionsPerSecond,
      framesPerSecond: perSecond(frames, before?.frames ?? 0),
      bytesPerSecond: perSecond(bytes, before?.bytes ?? 0),
      cpuMsPerSecond: Math.round(executionsPerSecond * cpuMs * 100) / 100,
    }
    this.#samples.set(group, sample)
    return sample
  }
}
