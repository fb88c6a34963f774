/** Who gets in, what they may ask, how much: what admission is made of. */
import type { GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import { Admission } from './admission/admission.ts'
import type { Authentication } from './admission/authentication/authentication.ts'
import { openAuthentication } from './admission/authentication/open.ts'
import { Authorization } from './admission/authorization/authorization.ts'
import { Control } from './admission/control/control.ts'
import { Limits } from './admission/limits/limits.ts'
import { PersistedOperations } from './admission/persisted/persisted-operations.ts'
import type { Config } from './config.ts'

export interface GateOptions {
  readonly config: Config
  readonly schema: GraphQLSchema
  readonly log: Logger
  /** The time that credentials are compared with, in ms since the epoch. */
  readonly now?: (() => number) | undefined
}

export interface Gate {
  readonly admission: Admission
  readonly authentication: Authentication
  readonly authorization: Authorization
  readonly control: Control
  readonly limits: Limits
}

/** @throws Error that says what of the configuration cannot be used. */
export async function openGate({ config, schema, log, now }: GateOptions): Promise<Gate> {
  const authorization = new Authorization()
  const audienceOf: Authorization['audienceOf'] = (principal) => authorization.audienceOf(principal)
  const authentication = await openAuthentication({ config, log, audienceOf, ...(now && { now }) })
  const control = new Control()
  const limits = new Limits()
  const persisted = new PersistedOperations()
  const admission = new Admission({ schema, authentication, control, limits, persisted, authorization })
  return { admission, authentication, authorization, control, limits }
}
