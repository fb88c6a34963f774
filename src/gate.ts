/** Who gets in, what they may ask, how much: what admission is made of. */
import type { GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import { Admission } from './admission/admission.ts'
import { Authentication } from './admission/authentication/authentication.ts'
import { Authorization } from './admission/authorization/authorization.ts'
import type { Authorize } from './admission/authorization/rules-elsewhere.ts'
import { Control } from './admission/control/control.ts'
import { Limits } from './admission/limits/limits.ts'
import { PersistedOperations } from './admission/persisted/persisted-operations.ts'
import type { Config } from './config.ts'

export interface GateOptions {
  readonly config: Config
  readonly schema: GraphQLSchema
  readonly log: Logger
  /** Rules that live elsewhere. */
  readonly authorize?: Authorize | undefined
}

export interface Gate {
  readonly admission: Admission
  readonly authentication: Authentication
  readonly authorization: Authorization
  readonly control: Control
  readonly limits: Limits
}

/** @throws Error that says what of the configuration cannot be used. */
export async function openGate({ schema, log, authorize }: GateOptions): Promise<Gate> {
  const authorization = new Authorization({ schema, log, authorize })
  const authentication = new Authentication()
  const control = new Control()
  const limits = new Limits()
  const persisted = new PersistedOperations()
  const admission = new Admission({ schema, authentication, control, limits, persisted, authorization })
  return { admission, authentication, authorization, control, limits }
}
