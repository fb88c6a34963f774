/** Parameters of a GraphQL request, of any transport. */
export interface GraphQLParams {
  /** The document's text; undefined: it is named by `documentId` or in `extensions`. */
  readonly query: string | undefined
  /** Id of a persisted operation, from whichever parameter: see `operationIdOf`. */
  readonly documentId: string | undefined
  readonly operationName: string | undefined
  readonly variables: Readonly<Record<string, unknown>> | undefined
  readonly extensions: Readonly<Record<string, unknown>> | undefined
  /** The position to resume at, from whichever parameter. */
  readonly lastEventId?: string | undefined
}
