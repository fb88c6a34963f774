import SchemaBuilder from '@pothos/core'
import type { Context } from './context.ts'
import { demandOnePothos } from './one-pothos.ts'
import { type OwnScalars, ownScalar, type ScalarDefinitions } from './own-scalars.ts'
import { PUBLISH_PLUGIN } from './publish-plugin.ts'
import { type AuthScopes, SCOPE_AUTH, SCOPE_AUTH_PLUGIN, SCOPES_PLUGIN } from './rights/scope-auth.ts'
import { cursorScalar, dateTimeScalar, decimalScalar, jsonScalar, longScalar, type Scalars } from './scalars.ts'
import { STREAM_PLUGIN } from './stream-plugin.ts'
import { TABLE_PLUGIN } from './table-plugin.ts'
import { addThrottle } from './throttle-types.ts'
import { UNUSED_PLUGIN } from './unused-plugin.ts'

// A type, not an interface: Pothos wants an index signature.
export type BuilderTypes<S extends ScalarDefinitions> = {
  Context: Context
  Scalars: Scalars & OwnScalars<S>
  DefaultFieldNullability: false
  AuthScopes: AuthScopes
  DefaultAuthStrategy: 'all'
}

export type Builder<S extends ScalarDefinitions> = PothosSchemaTypes.SchemaBuilder<
  PothosSchemaTypes.ExtendDefaultTypes<BuilderTypes<S>>
>

// biome-ignore lint/complexity/noBannedTypes: no scalars of one's own
type NoScalars = {}

export interface BuilderOptions<S extends ScalarDefinitions> {
  /** Scalars of one's own by name, beside `Cursor`, `DateTime`, `Decimal`, `Long` and `JSON`. */
  readonly scalars?: S
}

/**
 * A Pothos builder with this gateway's scalars, context, `t.stream`, `t.table`, `t.publish` and `authScopes`; fields are non-null
 * unless they say so.
 * @throws Error where there are two copies of Pothos; TypeError for a scalar whose name is taken, and for one that is not defined rightly.
 */
export function createBuilder<const S extends ScalarDefinitions>(options: BuilderOptions<S>): Builder<S>
// The last signature is that of `ReturnType<typeof createBuilder>`.
export function createBuilder(): Builder<NoScalars>
export function createBuilder({ scalars }: BuilderOptions<ScalarDefinitions> = {}): never {
  demandOnePothos()
  const builder = new SchemaBuilder<BuilderTypes<NoScalars>>({
    plugins: [SCOPE_AUTH_PLUGIN, SCOPES_PLUGIN, STREAM_PLUGIN, TABLE_PLUGIN, PUBLISH_PLUGIN, UNUSED_PLUGIN],
    defaultFieldNullability: false,
    scopeAuth: SCOPE_AUTH,
  })
  builder.scalarType('Cursor', cursorScalar)
  builder.scalarType('DateTime', dateTimeScalar)
  builder.scalarType('Decimal', decimalScalar)
  builder.scalarType('Long', longScalar as never)
  builder.scalarType('JSON', jsonScalar)
  for (const [name, definition] of Object.entries(scalars ?? {})) {
    builder.scalarType(name as never, ownScalar(name, definition) as never)
  }
  addThrottle(builder as never)
  return builder as never
}
