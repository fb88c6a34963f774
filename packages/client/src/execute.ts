import { SluiceClientError } from './client-error.ts'
import type { RequestBody, Result } from './operation.ts'
import type { Send } from './requests.ts'

/**
 * Sends a query or a mutation, and returns its result, whatever its status: by GraphQL over HTTP a refused operation has
 * a result with `errors` alone.
 * @throws SluiceClientError for an answer that is no result; what `fetch` throws
 */
export async function executeOperation<Data>(
  send: Send,
  body: RequestBody,
  signal: AbortSignal | undefined,
): Promise<Result<Data>> {
  const response = await send({
    method: 'POST',
    accept: 'application/graphql-response+json, application/json;q=0.9',
    body: body(),
    signal,
  })
  const { status } = response
  const text = await response.text()
  const result = parsed(text)
  if (result) return result as Result<Data>
  throw new SluiceClientError(`HTTP_${status}`, `The answer of status ${status} is no result of GraphQL`, { status })
}

function parsed(text: string): Result | undefined {
  try {
    const value = JSON.parse(text)
    return value?.data !== undefined || Array.isArray(value?.errors) ? value : undefined
  } catch {
    return undefined // a page of a proxy, say
  }
}
