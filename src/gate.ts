/** Who gets in, what they may ask, how much: what admission is made of. */
import type { GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import { Admission } from './admission/admission.ts'
import { Authentication } from './admission/authentication/authentication.ts'
import { Authorization } from './admission/authorization/authorization.ts'
import { Control } from './admission/control/control.ts'
import { Limits } from './admission/limits/limits.ts'
import { openPersisted, tellInvalid } from './admission/persisted/open-persisted.ts'
import type { PersistedOperations } from './admission/persisted/persisted-operations.ts'
import type { Config } from './config.ts'
import { ResolverErrors } from './errors/resolver-errors.ts'

export interface GateOptions {
  readonly config: Config
  readonly schema: GraphQLSchema
  readonly log: Logger
}

export interface Gate {
  readonly admission: Admission
  readonly authentication: Authentication
  readonly authorization: Authorization
  readonly control: Control
  readonly limits: Limits
  readonly persisted: PersistedOperations
}

/** @throws Error that says what of the configuration cannot be used. */
export async function openGate({ config, schema, log }: GateOptions): Promise<Gate> {
  const authorization = new Authorization()
  const authentication = new Authentication()
  const control = new Control()
  const limits = new Limits()
  const persisted = openPersisted(config)
  const introspection = config.INTROSPECTION
  const parts = { authentication, control, limits, persisted, authorization }
  const listed = new Set(config.CORS_ORIGINS.filter((origin) => origin !== '*'))
  const isListedOrigin = (origin: string): boolean => listed.has(origin)
  const admission = new Admission({ schema, introspection, cookie: config.AUTH_COOKIE, isListedOrigin, ...parts })
  tellInvalid(persisted, admission.warm(new ResolverErrors(log, schema)), log)
  return { admission, ...parts }
}
