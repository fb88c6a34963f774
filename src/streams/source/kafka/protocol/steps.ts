import { LIVE } from '../../../turn-budget.ts'

/**
 * Work that may take long. Each step yields the units of work that it took, of some microseconds each, or a promise of
 * the bytes with which it continues.
 */
export type Steps<T> = Generator<number | Promise<Buffer>, T, Buffer | undefined>

/**
 * Runs the steps to their end: at once, where they wait for nothing and this turn of the event loop has time for them;
 * else over several turns. Throws, or rejects with, what a step throws.
 */
export function inTurns<T>(steps: Steps<T>): T | Promise<T> {
  const reached = runSome(() => steps.next(), steps)
  return reached.done ? reached.value : runLater(steps, reached.value)
}

/** Up to the end, the first promise, or the end of this turn's time. */
function runSome<T>(first: () => IteratorResult<number | Promise<Buffer>, T>, steps: Steps<T>) {
  LIVE.begin()
  try {
    let step = first()
    while (!step.done && typeof step.value === 'number' && !LIVE.isUsedUp(step.value)) step = steps.next()
    return step
  } finally {
    LIVE.end()
  }
}

async function runLater<T>(steps: Steps<T>, pending: number | Promise<Buffer>): Promise<T> {
  for (let awaited = pending; ; ) {
    const resume = await settled(awaited)
    const reached = runSome(() => resume(steps), steps)
    if (reached.done) return reached.value
    awaited = reached.value
  }
}

type Resume = <T>(steps: Steps<T>) => IteratorResult<number | Promise<Buffer>, T>

/** How the steps continue once what they wait for is there, or has failed. */
async function settled(awaited: number | Promise<Buffer>): Promise<Resume> {
  if (typeof awaited === 'number') {
    await LIVE.next()
    return (steps) => steps.next()
  }
  try {
    const bytes = await awaited
    return (steps) => steps.next(bytes)
  } catch (error) {
    return (steps) => steps.throw(error)
  }
}
