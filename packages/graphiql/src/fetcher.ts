import {
  createSluiceClient,
  type Result,
  type ResultError,
  type SluiceClientError,
} from '../../client/src/sluice-client.ts'

/** What GraphiQL asks for. */
export interface Request {
  readonly query: string
  readonly variables?: Record<string, unknown> | null
  readonly operationName?: string | null
}

/** What is shown of a result. */
type Shown = Result & { readonly extensions?: Readonly<Record<string, unknown>> }

/** Results that wait to be drawn: of a quick stream only the newest are shown anyway. */
const MAX_WAITING = 100

/** Runs what is asked for: a subscription over SSE, by a client that resumes it, everything else as JSON. */
export function createFetcher(url: string) {
  return (request: Request, isSubscription: boolean, headers: Readonly<Record<string, string>> = {}) => {
    const operation = {
      query: request.query,
      variables: request.variables ?? undefined,
      operationName: request.operationName ?? undefined,
    }
    const client = createSluiceClient({ url, auth: () => headers })
    return isSubscription ? resultsOf(client, operation) : client.execute(operation).catch(refusal)
  }
}

/**
 * The results of a subscription, each with what the stream tells beside them: its state, how many came, the position
 * behind the last, and what is gone for good. A refusal is the last result. Not a generator: the `return` of one waits
 * for the next result, and a quiet stream would go on after the button was pressed.
 */
function resultsOf(
  client: ReturnType<typeof createSluiceClient>,
  operation: Parameters<ReturnType<typeof createSluiceClient>['execute']>[0],
): AsyncIterableIterator<Shown, undefined> {
  const waiting: Shown[] = []
  const gaps: unknown[] = []
  let last: Result = {}
  let received = 0
  let wake = () => {}
  let isOver = false
  const show = (result: Result) => {
    const stream = { state: subscription?.state.status, received, position: subscription?.position, gaps }
    const extensions = { ...result.extensions, stream: gaps.length > 0 ? stream : { ...stream, gaps: undefined } }
    if (waiting.length === MAX_WAITING) waiting.shift()
    waiting.push({ ...result, extensions })
    wake()
  }
  const end = (result?: Result) => {
    isOver = true
    if (result) show(result)
    wake()
  }
  let subscription: ReturnType<typeof client.subscribe> | undefined
  subscription = client.subscribe(operation, {
    next(result) {
      received++
      last = result
      show(result)
    },
    onGap({ gaps: lost, topic }) {
      gaps.push({ topic, gaps: lost })
      show(last)
    },
    onCaughtUp: () => show(last),
    onState(state) {
      if (state.status === 'reconnecting') show(last)
    },
    error: (error) => end(refusal(error)),
    complete: () => end(),
  })
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      while (waiting.length === 0 && !isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const value = waiting.shift()
      return value ? { done: false, value } : { done: true, value: undefined }
    },
    async return() {
      waiting.length = 0
      end()
      subscription?.unsubscribe()
      return { done: true, value: undefined }
    },
  }
}

/** A refusal as a result, with the gateway's errors where it has said some. */
function refusal(thrown: unknown): Result {
  const { message, code, errors } = thrown as Partial<SluiceClientError>
  const said: readonly ResultError[] = errors ?? []
  if (said.length > 0) return { errors: said }
  return { errors: [{ message: message ?? String(thrown), ...(code !== undefined && { extensions: { code } }) }] }
}
