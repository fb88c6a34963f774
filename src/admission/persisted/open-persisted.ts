import type { Logger } from 'pino'
import { openManifest } from './open-manifest.ts'
import { type InvalidOperation, PersistedOperations } from './persisted-operations.ts'

export interface PersistedConfig {
  readonly PERSISTED_OPERATIONS: 'off' | 'allowed' | 'only'
  readonly PERSISTED_OPERATIONS_FILE?: string | undefined
}

/** Limit of log lines about operations that cannot be run: enough to see what they have in common. */
const MAX_LOGGED = 20

/** @throws Error with one sentence for a manifest that cannot be read. */
export function openPersisted(config: PersistedConfig): PersistedOperations {
  const { PERSISTED_OPERATIONS: mode, PERSISTED_OPERATIONS_FILE: path } = config
  return new PersistedOperations({ mode, entries: mode === 'off' || path === undefined ? [] : openManifest(path) })
}

/**
 * Logs which operations cannot be run, each by its name. A manifest outlives changes of the schema: some of its
 * operations may be of clients that nobody runs any more.
 * @throws Error with one sentence where none can be run: the manifest is of another schema.
 */
export function tellInvalid(
  { size, pinned }: PersistedOperations,
  invalid: readonly InvalidOperation[],
  log: Logger,
): void {
  for (const { id, name, reason } of invalid.slice(0, MAX_LOGGED)) {
    log.warn({ id, operation: name, reason }, 'A persisted operation cannot be run')
  }
  const unlogged = Math.max(0, invalid.length - MAX_LOGGED)
  if (unlogged > 0) log.warn({ unlogged }, 'More persisted operations cannot be run')
  if (size > 0 && pinned === 0) {
    const [first] = invalid
    const why = first ? `, the first because: ${first.reason}` : ''
    throw new Error(`None of the ${size} operations of PERSISTED_OPERATIONS_FILE can be run${why}`)
  }
  if (size > 0) log.info({ operations: size, pinned, invalid: invalid.length }, 'Persisted operations are ready')
}
