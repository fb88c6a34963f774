import { type ASTVisitor, GraphQLError, type ValidationContext } from 'graphql'

/** The fields by which a document asks for the schema. `__typename` is another matter: clients need it. */
const FIELDS: ReadonlySet<string> = new Set(['__schema', '__type'])

/**
 * Refuses a document that asks for the schema, wherever in it: it is the only rule that sees every field, in fragments
 * too. A field of the schema's own has no such name (GraphQL, section 2.1.9).
 */
export function NoIntrospectionRule(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      if (!FIELDS.has(node.name.value)) return
      context.reportError(
        new GraphQLError('The schema cannot be asked for here: introspection is off', { nodes: node }),
      )
    },
  }
}
