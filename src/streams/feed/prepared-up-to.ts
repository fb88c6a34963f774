import type { RawRecord } from '../event.ts'
import { SourceUnavailable } from '../source/port.ts'
import type { Preparation } from '../topic/preparation.ts'

/**
 * The offset up to which fetched records from `at` on can be decoded: `next`, or that of the first which cannot yet.
 * @throws SourceUnavailable where it is the first of all: whoever reads them tries again later.
 */
export async function preparedUpTo(
  preparation: Preparation | undefined,
  fetched: readonly RawRecord[],
  at: number,
  next: number,
  signal: AbortSignal,
): Promise<number> {
  if (!preparation) return next
  const records = fetched.filter(({ offset }) => offset >= at && offset < next)
  try {
    await preparation.attempt(records, signal)
    return next
  } catch (error) {
    signal.throwIfAborted()
    const first = records[preparation.ready(records, signal)]
    if (!first) return next // it came meanwhile
    const { message } = error as Error
    preparation.tellReplay(message)
    if (first.offset === records[0]?.offset) throw new SourceUnavailable(message, { cause: error })
    return first.offset
  }
}
