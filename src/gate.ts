/** Who gets in, what they may ask, how much: what admission is made of. */
import type { GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import { Admission } from './admission/admission.ts'
import { AdmissionCounts } from './admission/admission-counts.ts'
import type { AdmissionObserver } from './admission/admission-observer.ts'
import { Audit } from './admission/audit/audit.ts'
import type { Authentication } from './admission/authentication/authentication.ts'
import { openAuthentication } from './admission/authentication/open.ts'
import { Authorization } from './admission/authorization/authorization.ts'
import type { Authorize } from './admission/authorization/rules-elsewhere.ts'
import { Control } from './admission/control/control.ts'
import { Limits } from './admission/limits/limits.ts'
import { quotasOf } from './admission/limits/quotas.ts'
import { openPersisted, tellInvalid } from './admission/persisted/open-persisted.ts'
import type { PersistedOperations } from './admission/persisted/persisted-operations.ts'
import { Usage } from './admission/usage/usage.ts'
import { UsageRecords } from './admission/usage/usage-records.ts'
import type { Config } from './config.ts'
import { ResolverErrors } from './errors/resolver-errors.ts'
import type { Sink } from './streams/source/port.ts'
import type { StreamObserver } from './transport/stream-observer.ts'

export interface GateOptions {
  readonly config: Config
  readonly schema: GraphQLSchema
  readonly log: Logger
  /** Limit of open streams of this instance. */
  readonly maxStreams: number
  /** Where records of usage go. */
  readonly sink: () => Sink
  /** Rules that live elsewhere. */
  readonly authorize?: Authorize | undefined
  /** Of clients without credentials. */
  readonly anonymousScopes?: readonly string[]
  /** Told of what is decided, beside the gate's own. */
  readonly observers?: readonly AdmissionObserver[]
  /** The time that credentials are compared with, in ms since the epoch. */
  readonly now?: (() => number) | undefined
}

export interface Gate {
  readonly admission: Admission
  readonly authentication: Authentication
  readonly authorization: Authorization
  readonly control: Control
  readonly limits: Limits
  readonly persisted: PersistedOperations
  readonly counts: AdmissionCounts
  readonly usage: Usage
  /** Undefined: it is off. */
  readonly audit: Audit | undefined
  /** Those of them that want to be told of streams. */
  readonly streamObservers: readonly StreamObserver[]
  /** Sends what is still to be said. Called when no stream is open any more. */
  close(): Promise<void>
}

/** @throws Error that says what of the configuration cannot be used. */
export async function openGate(options: GateOptions): Promise<Gate> {
  const { config, schema, log, maxStreams, sink, authorize, anonymousScopes = [], now } = options
  const authorization = new Authorization({ schema, log, authorize })
  const audienceOf: Authorization['audienceOf'] = (principal) => authorization.audienceOf(principal)
  const authentication = await openAuthentication({ config, log, audienceOf, anonymousScopes, ...(now && { now }) })
  const control = new Control()
  const { keys } = authentication
  keys?.onKeysChanged((ids) => {
    void control.endKeys(ids.filter((id) => !keys.has(id)))
    // These come back, and get what their keys are good for now.
    const changed = ids.filter((id) => keys.has(id))
    void control.endKeys(changed, 'expired')
  })
  const { USAGE_TOPIC: topic, USAGE_INTERVAL_MS: intervalMs, INSTANCE_ID: instance } = config
  const counts = new AdmissionCounts()
  const usage = new Usage({ isSent: topic !== undefined })
  const records = topic === undefined ? undefined : new UsageRecords({ usage, sink, topic, instance, intervalMs, log })
  const audit = config.AUDIT_LOG ? new Audit({ log }) : undefined
  const observers = [counts, usage, ...(audit ? [audit] : []), ...(options.observers ?? [])]
  const limits = new Limits({
    quotas: quotasOf(config, maxStreams),
    onRefused: ({ error, reason, principal, address }) => {
      for (const observer of observers) observer.refused({ code: error.code, reason, principal, address })
    },
  })
  const persisted = openPersisted(config)
  const listed = new Set(config.CORS_ORIGINS.filter((origin) => origin !== '*'))
  const parts = { authentication, control, limits, persisted, authorization }
  const admission = new Admission({
    schema,
    ...parts,
    observers,
    introspection: config.INTROSPECTION,
    cookie: config.AUTH_COOKIE,
    isListedOrigin: (origin) => listed.has(origin),
  })
  tellInvalid(persisted, admission.warm(new ResolverErrors(log, schema)), log)
  return {
    admission,
    ...parts,
    counts,
    usage,
    audit,
    streamObservers: [usage, ...(audit ? [audit] : [])],
    close: async () => await records?.close(),
  }
}
