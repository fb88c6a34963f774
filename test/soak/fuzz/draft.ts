/** A request on its way to be sent: still in parts, so that each level can change its own. */
export interface Draft {
  method: string
  path: string
  version: string
  headers: [name: string, value: string][]
  body: string | undefined
  /** The document in it, wherever it is. */
  readonly query: string | undefined
  readonly toAdmin: boolean
  delivery: Delivery
}

/**
 * How the bytes are sent. `whole`: an answer or a close must follow. `cut`: they end too early, and then the connection
 * does. `reset`: it is given up at a moment of the answer. `slow`: they come in parts. `unread`: nobody takes the answer.
 * `chunked`: the body is. `pipelined`: twice at once. `wild`: bytes are changed at random, so that nobody knows.
 */
export type Delivery = 'whole' | 'cut' | 'reset' | 'slow' | 'unread' | 'chunked' | 'pipelined' | 'wild'

/** Replaced as the request is sent, by what the gateway has handed out. */
export const TOKEN = 'TOKEN_OF_A_STREAM'
export const CURSOR = 'CURSOR_OF_THE_TOPIC'

export function headerOf(draft: Draft, name: string): string | undefined {
  return draft.headers.find(([each]) => each.toLowerCase() === name)?.[1]
}

export function setHeader(draft: Draft, name: string, value: string): void {
  draft.headers = [...draft.headers.filter(([each]) => each.toLowerCase() !== name), [name, value]]
}
