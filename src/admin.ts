/** What operators see of an instance: its admin port, metrics, and how near it is to its limits. */
import type { Server } from 'node:http'
import type { Logger } from 'pino'
import type { ControlLog } from './admission/control/control-log.ts'
import { Decisions } from './admission/control/decisions.ts'
import type { Config } from './config.ts'
import type { Engine } from './delivery/engine.ts'
import type { Faults } from './errors/faults.ts'
import type { Gate } from './gate.ts'
import type { Producible } from './server/admin-produce.ts'
import { createAdminServer } from './server/admin-server.ts'
import { Capacity } from './server/capacity.ts'
import { Connections } from './server/connections.ts'
import type { Shares } from './server/descriptors.ts'
import { Inspections } from './server/inspect/inspection.ts'
import type { RefusalLog } from './server/inspect/refusal-log.ts'
import type { StreamEndsLog } from './server/inspect/stream-ends-log.ts'
import { Watch } from './server/inspect/watch.ts'
import { createMetrics, type MetricsSources } from './server/metrics.ts'
import type { Timeouts } from './server/timeouts.ts'
import type { Operations } from './transport/operations.ts'
import { VERSION } from './version.ts'

type Parts =
  | 'readiness'
  | 'isLeaving'
  | 'streams'
  | 'throttledMs'
  | 'answers'
  | 'sockets'
  | 'units'
  | 'single'
  | 'publisher'
  | 'counts'

export interface AdminParts extends Pick<MetricsSources, Parts> {
  readonly config: Config
  readonly log: Logger
  readonly faults: Faults
  readonly shares: Shares
  /** Those of clients that are no streams. */
  readonly connections: Connections
  readonly engine: Engine
  readonly gate: Gate
  readonly controlLog: ControlLog | undefined
  readonly operations: Operations
  readonly producible: Producible | undefined
  readonly timeouts: Timeouts | undefined
  /** What has ended and was refused. */
  readonly records: { readonly ends: StreamEndsLog; readonly refusals: RefusalLog }
}

export interface Admin {
  /** It does not listen yet. */
  readonly admin: Server
  readonly adminConnections: Connections
  readonly capacity: Capacity
  readonly watch: Watch
}

export function openAdmin(parts: AdminParts): Admin {
  const { config, log, faults, shares, connections, readiness, streams, engine, gate, controlLog } = parts
  const { answers, operations, sockets } = parts
  const { control, authentication } = gate
  const { records } = parts
  const timeouts = parts.timeouts && { timeouts: parts.timeouts }
  const capacity = new Capacity(
    {
      streams: { used: () => sockets.size, limit: shares.streams },
      connections: { used: () => connections.limit.size, limit: shares.connections },
      frame_log_bytes: { used: () => engine.shared.budget.used, limit: engine.shared.budget.limit },
      answer_bytes: { used: () => answers.used, limit: answers.limit },
      operation_bytes: { used: () => engine.held.used, limit: engine.held.limit },
    },
    log,
    faults,
  )
  const keys = () =>
    authentication.keys && { size: authentication.keys.size, read: authentication.watch?.stats.read ?? 0 }
  const watch = new Watch(() => ({ readiness, isLeaving: parts.isLeaving, streams, keys: keys(), capacity }), faults)
  watch.follow(control)
  watch.changes.add('instance', config.INSTANCE_ID, `Started: Sluice ${VERSION} on Node ${process.versions.node}`)
  const metrics = createMetrics({
    ...parts,
    instance: config.INSTANCE_ID,
    connections: () => ({ graphql: connections.limit, admin: adminConnections.limit }),
    authentication,
    control: { control, log: controlLog },
    pulling: () => operations.pulling,
    capacity,
  })
  const admin = createAdminServer({
    readiness,
    metrics,
    inspections: new Inspections({
      ...parts,
      control,
      usage: gate.usage,
      limits: gate.limits,
      ends: records.ends,
      refusals: records.refusals,
      watch,
      capacity,
      pulling: () => operations.pulling,
      connections: () => ({ graphql: connections.limit, admin: adminConnections.limit }),
    }),
    decisions: new Decisions(control, controlLog),
    producible: parts.producible,
    faults,
    log,
    hosts: [config.ADMIN_HOST, ...(config.ADMIN_HOSTS ?? [])],
    ...timeouts,
  })
  const adminConnections = new Connections(admin, { max: shares.admin, ...timeouts })
  return { admin, adminConnections, capacity, watch }
}
