import SchemaBuilder from '@pothos/core'
import { GraphQLSchema } from 'graphql'
import type { Context } from './context.ts'
import { demandOnePothos } from './one-pothos.ts'
import { PUBLISH_PLUGIN } from './publish-plugin.ts'
import { type AuthScopes, SCOPE_AUTH, SCOPE_AUTH_PLUGIN, SCOPES_PLUGIN } from './rights/scope-auth.ts'
import { cursorScalar, dateTimeScalar, decimalScalar, jsonScalar, longScalar, type Scalars } from './scalars.ts'
import { STREAM_PLUGIN } from './stream-plugin.ts'
import { TABLE_PLUGIN } from './table-plugin.ts'
import { addThrottle } from './throttle-types.ts'

/**
 * A Pothos builder with this gateway's scalars, context, `t.stream`, `t.table`, `t.publish` and `authScopes`; fields are non-null
 * unless they say so.
 * @throws Error where there are two copies of Pothos.
 */
export function createBuilder() {
  demandOnePothos()
  const builder = new SchemaBuilder<{
    Context: Context
    Scalars: Scalars
    DefaultFieldNullability: false
    AuthScopes: AuthScopes
    DefaultAuthStrategy: 'all'
  }>({
    plugins: [SCOPE_AUTH_PLUGIN, SCOPES_PLUGIN, STREAM_PLUGIN, TABLE_PLUGIN, PUBLISH_PLUGIN],
    defaultFieldNullability: false,
    scopeAuth: SCOPE_AUTH,
  })
  builder.scalarType('Cursor', cursorScalar)
  builder.scalarType('DateTime', dateTimeScalar)
  builder.scalarType('Decimal', decimalScalar)
  builder.scalarType('Long', longScalar)
  builder.scalarType('JSON', jsonScalar)
  addThrottle(builder as never)
  const toSchema = builder.toSchema.bind(builder)
  builder.toSchema = (options) => withoutUnused(toSchema(options))
  return builder
}

/** They are part of a schema that has them somewhere. */
const WHERE_USED: ReadonlySet<string> = new Set(['Long', 'JSON'])

function withoutUnused(schema: GraphQLSchema): GraphQLSchema {
  const { types, ...config } = schema.toConfig()
  // What fields refer to is found again.
  return new GraphQLSchema({ ...config, types: types.filter(({ name }) => !WHERE_USED.has(name)) })
}
