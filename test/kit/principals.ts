import type { GraphQLSchema } from 'graphql'
import { onTestFinished, vi } from 'vitest'
import { Authentication } from '../../src/admission/authentication/authentication.ts'
import { Authorization } from '../../src/admission/authorization/authorization.ts'
import type { Identity, Principal } from '../../src/admission/principal.ts'
import { schema as ownSchema } from '../../src/resolvers/schema.ts'
import { ANYBODY, aPrincipal } from './admission.ts'
import { silentLog } from './log-lines.ts'

const HEADER = 'x-api-key'

/**
 * Gateways of this test know these principals by name, sent as an API key; anybody else is anonymous. How credentials
 * are verified has tests of its own.
 */
export function knowPrincipals(
  known: Readonly<Record<string, Partial<Principal>>>,
  schema: GraphQLSchema = ownSchema,
): void {
  const { audienceOf } = new Authorization({ schema, log: silentLog })
  const identities = new Map<string, Identity>(
    Object.entries(known).map(([id, differences]) => {
      const principal = aPrincipal({ id, ...differences })
      return [id, { principal, audience: audienceOf(principal) }]
    }),
  )
  const spy = vi
    .spyOn(Authentication.prototype, 'identify')
    .mockImplementation(({ headers }) => identities.get(String(headers[HEADER])) ?? ANYBODY)
  onTestFinished(() => spy.mockRestore())
}

/** The headers of a principal's requests. */
export function as(id: string | undefined): Record<string, string> {
  return id === undefined ? {} : { [HEADER]: id }
}
