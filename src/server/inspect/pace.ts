import { setImmediate as nextTurn } from 'node:timers/promises'

/** Groups, members, streams or principals that are looked at in one turn of the event loop: some tenths of a millisecond. */
export const LOOKS_PER_TURN = 500

/** Slices of a pass over much: so many looks in one turn, then everybody else's turn. By number, not by a clock. */
export class Pace {
  turns = 1
  looked = 0

  /** Counts a look. True: `next` is to be awaited. */
  isTurnUsedUp(): boolean {
    return ++this.looked % LOOKS_PER_TURN === 0
  }

  async next(): Promise<void> {
    this.turns++
    await nextTurn()
  }
}
