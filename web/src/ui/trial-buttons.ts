import type { Session } from '../stream/session.ts'
import { type CutOutcome, cutAndCompare, readNothing, type SlowOutcome } from '../stream/trials.ts'
import { count, milliseconds, plural } from './format.ts'
import { byId, setText } from './page.ts'

/** The buttons that cut the connection and stop reading, and the outcome below them. */
export class TrialButtons {
  readonly #buttons = [byId<HTMLButtonElement>('cut'), byId<HTMLButtonElement>('slow')]
  readonly #outcome = byId('outcome')
  /** Of the last trial, for tests. */
  last: CutOutcome | SlowOutcome | undefined

  constructor(session: Session) {
    const [cut, slow] = this.#buttons
    cut?.addEventListener('click', () => {
      void this.#run(async () => {
        this.#say('A second subscription opens, and then the first one is cut …')
        const outcome = await cutAndCompare(session)
        this.last = outcome
        return wordsForCut(outcome)
      })
    })
    slow?.addEventListener('click', () => {
      void this.#run(async () => {
        this.#say('A second subscription opens …')
        const outcome = await readNothing(session, (left) => this.#say(`This page reads nothing for ${left} s …`))
        this.last = outcome
        return wordsForSlow(outcome)
      })
    })
  }

  async #run(trial: () => Promise<string>): Promise<void> {
    this.last = undefined
    for (const button of this.#buttons) button.disabled = true
    try {
      this.#say(await trial(), 'good')
    } catch (error) {
      this.#say(`${error instanceof Error ? error.message : String(error)}.`, 'bad')
    } finally {
      for (const button of this.#buttons) button.disabled = false
    }
  }

  #say(text: string, tone = ''): void {
    this.#outcome.dataset.tone = tone
    setText(this.#outcome, text)
  }
}

function wordsForCut({ missed, replayed, compared, awayMs, replayMs }: CutOutcome): string {
  const back = `Back after ${milliseconds(awayMs)}: replayed ${count(replayed)} in ${milliseconds(replayMs)}`
  return `${back}, missed ${count(missed)} of the ${count(compared)} that a second subscription got.`
}

function wordsForSlow({ missed, meanwhile, compared, backMs }: SlowOutcome): string {
  const other = `A second subscription got ${plural(meanwhile, 'event')} meanwhile.`
  return `${other} This one had caught up after ${milliseconds(backMs)}, and missed ${count(missed)} of ${count(compared)}.`
}
