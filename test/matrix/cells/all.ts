import type { Cell } from './cell.ts'
import { connect } from './connect.ts'
import { cut } from './cut.ts'
import { filter } from './filter.ts'
import { gap } from './gap.ts'
import { plannedEnd } from './planned-end.ts'
import { credentials, refusal } from './refusals.ts'
import { unavailable } from './unavailable.ts'
import { unsubscribe } from './unsubscribe.ts'

/** The columns, in their order. */
export const CELLS: readonly Cell[] = [
  connect,
  filter,
  refusal,
  credentials,
  cut,
  gap,
  plannedEnd,
  unavailable,
  unsubscribe,
]
