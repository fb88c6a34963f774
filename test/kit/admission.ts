import type { GraphQLSchema } from 'graphql'
import { Admission, type AdmissionOptions } from '../../src/admission/admission.ts'
import { Authentication } from '../../src/admission/authentication/authentication.ts'
import { Authorization } from '../../src/admission/authorization/authorization.ts'
import { Control } from '../../src/admission/control/control.ts'
import type { Entry } from '../../src/admission/entry.ts'
import { Limits } from '../../src/admission/limits/limits.ts'
import type { GraphQLParams } from '../../src/admission/params.ts'
import { PersistedOperations } from '../../src/admission/persisted/persisted-operations.ts'
import { type Identity, NOBODY, type Principal } from '../../src/admission/principal.ts'
import type { StreamOwner } from '../../src/admission/stream-owner.ts'
import { ANONYMOUS } from '../../src/schema/context.ts'
import { silentErrors } from './errors.ts'
import { silentLog } from './log-lines.ts'

/** Admission in which everybody may do everything, but for these parts. */
export function openAdmission(schema: GraphQLSchema, parts: Partial<AdmissionOptions> = {}): Admission {
  return new Admission({
    schema,
    authentication: new Authentication(),
    control: new Control(),
    limits: new Limits(),
    persisted: new PersistedOperations(),
    authorization: new Authorization({ schema, log: silentLog }),
    ...parts,
  })
}

/** A principal without scopes or bounds, with these differences. */
export function aPrincipal(differences: Partial<Principal> = {}): Principal {
  return { ...NOBODY, kind: 'token', id: 'somebody', ...differences }
}

export function anIdentity(differences: Partial<Principal> = {}): Identity {
  return { principal: aPrincipal(differences), audience: ANONYMOUS }
}

export const ANYBODY: Identity = { principal: NOBODY, audience: ANONYMOUS }

/** The owner of a stream, with these differences. */
export function anOwner(differences: Partial<StreamOwner> = {}): StreamOwner {
  return { identity: ANYBODY, address: '192.0.2.1', requestId: 'r', operation: undefined, ...differences }
}

/** A request as admission sees it, with these differences. */
export function anEntry(differences: Partial<Entry> = {}): Entry {
  return {
    method: 'POST',
    headers: {},
    rawHeaders: [],
    query: new URLSearchParams(),
    address: '192.0.2.1',
    requestId: 'r',
    errors: silentErrors,
    ...differences,
  }
}

/** The parameters of a request with only this document, and these differences. */
export function someParams(query: string, differences: Partial<GraphQLParams> = {}): GraphQLParams {
  return {
    query,
    documentId: undefined,
    operationName: undefined,
    variables: undefined,
    extensions: undefined,
    ...differences,
  }
}
