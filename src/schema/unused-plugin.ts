import SchemaBuilder, { BasePlugin, type SchemaTypes } from '@pothos/core'
import { GraphQLSchema } from 'graphql'

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      sluiceUnused: UnusedPlugin<Types>
    }
  }
}

/** Scalars that every builder has, and a schema only where a field or an argument is of them. */
const ON_DEMAND: ReadonlySet<string> = new Set(['Long', 'JSON'])

/** Leaves out of a schema what it does not use: a schema that was released does not change with a new version. */
class UnusedPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override afterBuild(schema: GraphQLSchema): GraphQLSchema {
    // Of another copy of graphql: `defineGateway` says so.
    if (!(schema instanceof GraphQLSchema)) return schema
    const { types, ...config } = schema.toConfig()
    // The constructor finds those again that anything refers to.
    return new GraphQLSchema({ ...config, types: types.filter(({ name }) => !ON_DEMAND.has(name)) })
  }
}

/** The plugin's name, for the builder's list of plugins. */
export const UNUSED_PLUGIN = 'sluiceUnused' as const

SchemaBuilder.registerPlugin(UNUSED_PLUGIN, UnusedPlugin)
