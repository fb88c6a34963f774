/** What a client was seen to tell its caller. */
export type Sight =
  | { readonly saw: 'order'; readonly id: string }
  /** A result with `errors`: the gateway's code, or `status 401`, or `none`. */
  | { readonly saw: 'errors'; readonly code: string }
  /** A result or a message with neither. */
  | { readonly saw: 'empty' }
  /** The library gave up. The code is the gateway's, where it can be had from what was told. */
  | { readonly saw: 'error'; readonly code?: string; readonly status?: number; readonly message: string }
  | { readonly saw: 'end' }

/** Errors wrap errors: how deep a code is looked for. */
const MAX_DEPTH = 6

/** The first of these properties within a value that has the wanted type, nearest first. */
function find(value: unknown, isWanted: (key: string, value: unknown) => boolean): unknown {
  let level = [value]
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const objects = level.filter((each) => typeof each === 'object' && each !== null)
    // A getter of a library may throw, and does not have what is looked for then.
    const entries = objects.flatMap((each) =>
      Object.getOwnPropertyNames(each).map((key) => [key, get(each, key)] as const),
    )
    const found = entries.find(([key, each]) => isWanted(key, each))
    if (found) return found[1]
    level = entries.map(([, each]) => each)
  }
  return undefined
}

function get(object: unknown, key: string): unknown {
  try {
    return (object as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}

/** Codes of the gateway are in capitals; those of Node's own errors begin with an E, and of its fetch with UND_ERR. */
const isCode = (key: string, value: unknown) =>
  key === 'code' && typeof value === 'string' && /^(?!E[A-Z]+$|ERR_|UND_ERR)[A-Z][A-Z_]+$/.test(value)
const isStatus = (key: string, value: unknown) =>
  /^(status|statusCode|code)$/.test(key) && typeof value === 'number' && value >= 300 && value < 600

/** Of a result as GraphQL has it, and of those of libraries that resemble it. */
export function sightOfResult(result: unknown): Sight {
  const { data, errors, error } = (result ?? {}) as {
    data?: Record<string, unknown> | null
    errors?: unknown
    error?: unknown
  }
  const order = Object.values(data ?? {})[0] as { id?: string } | null | undefined
  if (order?.id !== undefined) return { saw: 'order', id: order.id }
  const failure = errors ?? error
  const status = find(failure, isStatus)
  const without = status === undefined ? 'none' : `status ${status}`
  if (failure) return { saw: 'errors', code: String(find(failure, isCode) ?? without) }
  return { saw: 'empty' }
}

export function sightOfError(error: unknown): Sight {
  const code = find(error, isCode) as string | undefined
  const status = find(error, isStatus) as number | undefined
  const message = String((error as Error | undefined)?.message ?? error)
  return { saw: 'error', message, ...(code !== undefined && { code }), ...(status !== undefined && { status }) }
}
