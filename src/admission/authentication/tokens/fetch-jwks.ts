/** Size limit of the answer: a hundred keys of 4,096 bits with their certificates have 400 KB. */
const MAX_BYTES = 512 * 1024

/**
 * Fetches a JWKS. Redirects are not followed: they would let whoever controls one choose the keys.
 * @throws Error with a sentence that says why there is none.
 */
export async function fetchJwks(url: string, signal: AbortSignal): Promise<unknown[]> {
  const headers = { accept: 'application/jwk-set+json, application/json', 'user-agent': 'sluice' }
  const response = await fetch(url, { headers, redirect: 'manual', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`The answer has status ${response.status}`)
  }
  let value: unknown
  const text = await textOf(response)
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('The answer is not JSON')
  }
  const { keys } = (value ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('The answer is no JWKS: it has no "keys"')
  return keys
}

/** Read in pieces, so that an answer without end, or one that is small only compressed, stops at the limit. */
async function textOf({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body ?? []) {
    bytes += piece.length
    // Leaving the loop cancels the rest.
    if (bytes > MAX_BYTES) throw new Error(`The answer has more than ${MAX_BYTES} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}
