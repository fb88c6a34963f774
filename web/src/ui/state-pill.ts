import type { ConnectionState } from '@sluice/client'
import { byId, setText } from './page.ts'

/** States from best to worst; the worst is shown. */
const ORDER = ['live', 'replaying', 'connecting', 'reconnecting', 'ended'] as const

/** The connection, in a word or two. */
export class StatePill {
  readonly #pill = byId('state')
  readonly #text = byId('state-text')

  show(states: readonly ConnectionState[], now: number): void {
    const worst = worstOf(states)
    this.#pill.dataset.status = worst.status
    setText(this.#text, textOf(worst, now))
  }
}

function worstOf(states: readonly ConnectionState[]): ConnectionState {
  const rank = ({ status }: ConnectionState) => ORDER.indexOf(status)
  return states.reduce((worst, state) => (rank(state) > rank(worst) ? state : worst))
}

export function textOf(state: ConnectionState, now: number): string {
  switch (state.status) {
    case 'live':
      return 'Live'
    case 'replaying':
      return 'Catching up'
    case 'connecting':
      return 'Connecting'
    case 'reconnecting': {
      const seconds = Math.max(0, Math.floor((now - state.since) / 1_000))
      return seconds < 2 ? 'Reconnecting' : `Reconnecting for ${seconds} s`
    }
    case 'ended':
      return state.why === 'refused' ? `Refused: ${state.error?.code ?? 'no reason given'}` : 'Ended'
  }
}
