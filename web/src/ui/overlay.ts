import type { ConnectionState } from '@sluice/client'
import { byId, setText } from './page.ts'

/** A reconnection usually takes a second or two; after this time the map shows a message. ms */
const PATIENCE_MS = 5_000

export interface OverlayActions {
  retry(): void
  placeOrder(): void
}

interface Words {
  readonly title: string
  readonly text: string
  readonly action?: { readonly label: string; run(): void }
}

/** The message over the map: no orders yet, gateway unreachable, or refused. */
export class Overlay {
  readonly #host = byId('overlay')
  readonly #title = byId('overlay-title')
  readonly #text = byId('overlay-text')
  readonly #button = byId<HTMLButtonElement>('overlay-action')
  readonly #actions: OverlayActions
  #shown: Words | undefined

  constructor(actions: OverlayActions) {
    this.#actions = actions
    this.#button.addEventListener('click', () => this.#shown?.action?.run())
  }

  show(state: ConnectionState, { isEmpty, isFiltered }: { isEmpty: boolean; isFiltered: boolean }, now: number): void {
    this.#shown = this.#wordsFor(state, isEmpty, isFiltered, now)
    this.#host.hidden = this.#shown === undefined
    // Over a full map it is one line; over an empty one it is all there is.
    this.#host.classList.toggle('slim', !isEmpty)
    if (!this.#shown) return
    setText(this.#title, this.#shown.title)
    setText(this.#text, this.#shown.text)
    this.#button.hidden = !this.#shown.action
    setText(this.#button, this.#shown.action?.label ?? '')
  }

  #wordsFor(state: ConnectionState, isEmpty: boolean, isFiltered: boolean, now: number): Words | undefined {
    const retry = { label: 'Try again', run: () => this.#actions.retry() }
    switch (state.status) {
      case 'ended':
        if (state.why === 'stopped') return undefined
        return {
          title: state.why === 'refused' ? 'The gateway refuses this' : 'The stream has ended',
          text: state.error ? refusal(state.error.code, state.error.message) : 'The gateway has completed it.',
          action: retry,
        }
      case 'reconnecting':
        if (now - state.since < PATIENCE_MS) return undefined
        return {
          title: 'The gateway cannot be reached',
          text: 'The page goes on trying, and nothing will be missed: it comes back to where it was.',
        }
      case 'live':
        if (!isEmpty) return undefined
        return {
          title: isFiltered ? 'No such order yet' : 'No orders yet',
          text: 'The subscription is open: the next one appears here by itself.',
          ...(!isFiltered && { action: { label: 'Place the first one', run: () => this.#actions.placeOrder() } }),
        }
      default:
        return undefined
    }
  }
}

/** A sentence for an error code. */
export function refusal(code: string, message: string): string {
  const text = message.replace(/\.$/, '')
  switch (code) {
    case 'UNAUTHENTICATED':
    case 'HTTP_401':
      return 'It asks for credentials, and this page has none.'
    case 'FORBIDDEN':
    case 'HTTP_403':
      return `You may not see this${text ? ` (${text})` : ''}.`
    default:
      return `${text || 'No reason was given'} (${code}).`
  }
}
