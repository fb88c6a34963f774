import {
  BasePlugin,
  type PothosOutputFieldConfig,
  type PothosTypeConfig,
  default as SchemaBuilder,
  type SchemaTypes,
} from '@pothos/core'
import type { ForbiddenResult } from '@pothos/plugin-scope-auth'
import type { GraphQLResolveInfo } from 'graphql'
import { SluiceError } from '../../errors/codes.ts'
import type { Context } from '../context.ts'
import { rulesOfField } from './schema-rules.ts'
import { demandRule, forbidden, hasAnyScope, hasScopes, isAuthenticated, isMet } from './scope-rule.ts'

export { default as SCOPE_AUTH_PLUGIN } from '@pothos/plugin-scope-auth'

// A type, not an interface: Pothos wants an index signature.
/** What `authScopes` may ask for, beside `$all` and `$any`. */
export type AuthScopes = {
  scope: string | readonly string[]
  anyScope: readonly string[]
  authenticated: true
}

/**
 * Options of Pothos's scope-auth plugin: the check in each resolver, whoever executes the schema. Admission has refused
 * by then what it could see in the operation. The answers come from the audience alone, and at once.
 */
export const SCOPE_AUTH = {
  authorizeOnSubscribe: true,
  // "any", the plugin's default, would let one part of a rule stand for all of them.
  defaultStrategy: 'all' as const,
  authScopes: ({ audience }: Context) => ({
    scope: (scopes: AuthScopes['scope']) => hasScopes(audience, scopes),
    anyScope: (scopes: AuthScopes['anyScope']) => hasAnyScope(audience, scopes),
    authenticated: () => isAuthenticated(audience),
  }),
  unauthorizedError: (_parent: object, { audience }: Context, info: GraphQLResolveInfo, _result: ForbiddenResult) => {
    const { parentType, fieldName } = info
    const field = `The field "${parentType.name}.${fieldName}"`
    const rule = rulesOfField(parentType, fieldName).find((each) => !isMet(each, audience))
    return rule ? forbidden(rule, field) : new SluiceError('FORBIDDEN', `${field} needs other credentials`)
  },
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      sluiceScopes: ScopesPlugin<Types>
    }
  }
}

interface Scoped {
  readonly authScopes?: unknown
  readonly grantScopes?: unknown
}

/** Refuses what the rules of a schema cannot say. */
class ScopesPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onTypeConfig(type: PothosTypeConfig): PothosTypeConfig {
    demandScoped(type.pothosOptions as Scoped, `the type "${type.name}"`)
    return type
  }

  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    demandScoped(field.pothosOptions as Scoped, `the field "${field.parentType}.${field.name}"`)
    return field
  }
}

function demandScoped(options: Scoped | undefined, where: string): void {
  if (options?.authScopes !== undefined) demandRule(options.authScopes, where)
  if (options?.grantScopes !== undefined) {
    throw new TypeError(`The grantScopes of ${where} are not to be had: scopes come from credentials only`)
  }
}

/** The plugin's name, for the builder's list of plugins. */
export const SCOPES_PLUGIN = 'sluiceScopes' as const

SchemaBuilder.registerPlugin(SCOPES_PLUGIN, ScopesPlugin)
