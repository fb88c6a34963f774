import { ResolverErrors } from '../../src/errors/resolver-errors.ts'
import { silentLog } from './log-lines.ts'

/** Takes what is masked, and tells nobody. */
export const silentErrors = new ResolverErrors(silentLog)
