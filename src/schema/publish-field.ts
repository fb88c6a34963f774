import {
  type DocumentNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { SluiceError } from '../errors/codes.ts'

/** The extension of fields that publish an event. */
export const PUBLISH_EXTENSION = 'sluicePublish'
/**
 * Events that one mutation may publish: they are published one after another, each in some milliseconds, while the client
 * waits for all of them.
 */
export const MAX_PUBLISHED = 20

/**
 * How many events a mutation publishes at most: its root fields that publish, fragments expanded. Fields that a directive
 * leaves out count as well.
 * @throws SluiceError `OPERATION_TOO_COMPLEX`
 */
export function publishedBy(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): number {
  const type = schema.getMutationType()
  if (operation.operation !== 'mutation' || !type) return 0
  const count = countIn(operation.selectionSet, type, document)
  if (count <= MAX_PUBLISHED) return count
  throw new SluiceError('OPERATION_TOO_COMPLEX', `One mutation publishes ${MAX_PUBLISHED} events at most`)
}

/** Validation has refused fragments that contain themselves. Counting ends where there are too many. */
function countIn({ selections }: SelectionSetNode, type: GraphQLObjectType, document: DocumentNode): number {
  let count = 0
  for (const node of selections) {
    if (count > MAX_PUBLISHED) return count
    if (node.kind === Kind.FIELD) count += type.getFields()[node.name.value]?.extensions[PUBLISH_EXTENSION] ? 1 : 0
    else if (node.kind === Kind.INLINE_FRAGMENT) count += countIn(node.selectionSet, type, document)
    else {
      const fragment = document.definitions.find(
        (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === node.name.value,
      )
      if (fragment?.kind === Kind.FRAGMENT_DEFINITION) count += countIn(fragment.selectionSet, type, document)
    }
  }
  return count
}
