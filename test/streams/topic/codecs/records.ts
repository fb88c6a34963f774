import type { EventRecord } from '../../../../src/index.ts'

/** The record of a value that is decoded on its own. */
export const RECORD: EventRecord = { partition: 0, offset: 0, timestamp: 0, key: null, headers: {} }
