import { SluiceError } from '../../errors/codes.ts'
import type { GraphQLParams } from '../params.ts'

export interface OperationText {
  readonly text: string
  /** SHA-256 in hex, where it is known. */
  readonly hash: string | undefined
}

/** Operations that clients name by an id. */
export class PersistedOperations {
  /** The document's text. @throws SluiceError where the request has none that it may have. */
  textOf({ query }: GraphQLParams): OperationText {
    if (query === undefined) throw new SluiceError('BAD_REQUEST', 'The request has no "query"')
    return { text: query, hash: undefined }
  }
}
