import type { IncomingMessage } from 'node:http'
import type { GraphQLParams } from '../admission/params.ts'
import type { OperationBinding } from '../admission/principal.ts'
import { SluiceError } from '../errors/codes.ts'
import { readParams } from './params.ts'

/** Parameters of a URL that name an operation, or a part of one. */
const OF_OPERATION = ['query', 'documentId', 'operationName', 'variables', 'extensions']

/**
 * The parameters of a request with a ticket: the operation that the ticket carries, and the position to resume at. A
 * URL that has an operation itself is read as any other; admission compares it with that of the ticket.
 * @throws SluiceError `BAD_REQUEST`
 */
export async function readTicketParams(
  request: IncomingMessage,
  url: URL,
  { params }: OperationBinding,
): Promise<GraphQLParams> {
  if (OF_OPERATION.some((name) => url.searchParams.get(name))) return await readParams(request, url)
  if (!params) throw new SluiceError('BAD_REQUEST', 'This ticket needs its operation beside it: it was too long for it')
  const position = request.headers['last-event-id'] || url.searchParams.get('lastEventId')
  return { ...params, lastEventId: position ? String(position) : undefined }
}
