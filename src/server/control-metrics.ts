import { Counter, Gauge, type Registry } from 'prom-client'
import type { Control } from '../admission/control/control.ts'
import type { ControlLog } from '../admission/control/control-log.ts'

export interface ControlSources {
  readonly control: Control
  /** Undefined: this instance is the only one that knows its decisions. */
  readonly log: Pick<ControlLog, 'isFollowing' | 'stats'> | undefined
}

/** Metrics of what operators have revoked and blocked. */
export function addControl(registry: Registry, { control, log }: ControlSources): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    const metric: Gauge = new Gauge({
      name: `sluice_${name}`,
      help,
      registers: [registry],
      collect: () => metric.set(read()),
    })
  }
  gauge('control_ready', 'Whether revocations and blocked operations are known, and new ones are heard of.', () =>
    control.isKnown && (log?.isFollowing ?? true) ? 1 : 0,
  )
  gauge('revocations', 'Revoked principals, keys and tokens.', () => {
    const { list } = control
    return list.count('principal') + list.count('key') + list.count('token')
  })
  gauge('blocked_operations', 'Blocked operations.', () => control.list.count('operation'))
  const rejected: Counter = new Counter({
    name: 'sluice_control_rejected_total',
    help: 'Records of the control topic that are no decisions, or for which there was no room.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      rejected.reset()
      rejected.inc({ reason: 'invalid' }, log?.stats.invalid ?? 0)
      rejected.inc({ reason: 'overflow' }, log?.stats.overflowed ?? 0)
    },
  })
}
