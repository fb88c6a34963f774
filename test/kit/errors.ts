import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { silentLog } from './log-lines.ts'

/** Takes what is masked, and tells nobody. */
export const silentErrors = new ResolverErrors(silentLog)

/** The code that a function throws; undefined where it throws nothing. */
export function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
