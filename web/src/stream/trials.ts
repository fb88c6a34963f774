import { Comparison, keyOf } from './comparison.ts'
import type { Session } from './session.ts'

/** How long a second subscription may take to open. */
const WITNESS_MS = 5_000
/** Duration of both subscriptions before a trial, for a comparison of more than a few events. */
const BEFORE_MS = 1_000
/** How long the page leaves its stream unread. */
const SLOW_MS = 5_000
/** How long may pass until all is there again. */
const BACK_MS = 30_000
const NOT_BACK = 'The stream has not come back yet: the page goes on trying'
const NO_WITNESS = 'A second subscription could not be opened, and without one nothing is tried'

export interface CutOutcome {
  /** Orders that came between the cut and the end of the replay. */
  readonly replayed: number
  readonly missed: number
  /** Events that the second subscription got. */
  readonly compared: number
  /** From the cut until all was there. */
  readonly awayMs: number
  /** From the new stream until all was there. */
  readonly replayMs: number
}

export interface SlowOutcome {
  readonly missed: number
  readonly compared: number
  /** Events that the second subscription got while this page read nothing. */
  readonly meanwhile: number
  readonly backMs: number
}

/** Breaks the connection, and counts what comes back against what a second subscription got. @throws Error */
export async function cutAndCompare(session: Session): Promise<CutOutcome> {
  return await withWitness(session, async (comparison) => {
    let replayed = 0
    let openedAt = 0
    const cutAt = performance.now()
    await happened(BACK_MS, NOT_BACK, (done) => {
      const unwatch = session.watch({
        order: () => replayed++,
        state: ({ status }) => {
          if (status === 'replaying' && openedAt === 0) openedAt = performance.now()
        },
        caughtUp: () => done(),
      })
      session.cut()
      return unwatch
    })
    const backAt = performance.now()
    await allThere(session, comparison)
    return {
      replayed,
      missed: comparison.missing().size,
      compared: comparison.witnessed,
      awayMs: backAt - cutAt,
      replayMs: backAt - (openedAt || backAt),
    }
  })
}

/** Reads nothing for a while, and counts as above. @throws Error */
export async function readNothing(session: Session, onSecond: (left: number) => void): Promise<SlowOutcome> {
  return await withWitness(session, async (comparison) => {
    const before = comparison.witnessed
    session.pausable.pause()
    try {
      for (let left = SLOW_MS / 1_000; left > 0; left--) {
        onSecond(left)
        await pass(1_000)
      }
    } finally {
      session.pausable.resume()
    }
    const meanwhile = comparison.witnessed - before
    const resumedAt = performance.now()
    await allThere(session, comparison)
    const backMs = performance.now() - resumedAt
    return { missed: comparison.missing().size, compared: comparison.witnessed, meanwhile, backMs }
  })
}

async function withWitness<T>(session: Session, act: (comparison: Comparison) => Promise<T>): Promise<T> {
  const comparison = new Comparison()
  // Recording of the page's events begins first, so that it includes every event of the witness.
  const unwatch = session.watch({ order: (order) => comparison.main(order) })
  let stop = () => {}
  try {
    await happened(WITNESS_MS, NO_WITNESS, (done) => {
      const witness = session.openWitness({
        order: (order) => comparison.witness(order),
        state: ({ status }) => {
          if (status === 'live') done()
        },
      })
      stop = () => witness.unsubscribe()
      return () => {}
    })
    await pass(BEFORE_MS)
    const outcome = await act(comparison)
    if (comparison.isTooMuch) throw new Error('There were too many orders to compare')
    return outcome
  } finally {
    stop()
    unwatch()
  }
}

/** Waits until the page has what the witness has now. What never comes is counted as missed, by the caller. */
async function allThere(session: Session, comparison: Comparison): Promise<void> {
  comparison.close()
  const missing = comparison.missing()
  if (missing.size === 0) return
  await happened(BACK_MS, NOT_BACK, (done) =>
    session.watch({
      order: (order) => {
        if (missing.delete(keyOf(order)) && missing.size === 0) done()
      },
    }),
  ).catch(() => {}) // counted
}

/** @throws Error when it has not happened in time. */
async function happened(timeoutMs: number, message: string, begin: (done: () => void) => () => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(message)), timeoutMs)
  const end = begin(resolve)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    end()
  }
}

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
