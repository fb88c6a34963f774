import type { Gap } from '../event.ts'

/** Where the next event is to be read from. */
export type Next =
  /** Lost offsets. The position has moved past them. */
  | { readonly kind: 'gaps'; readonly gaps: readonly Gap[] }
  /** Older than the window: the partition is to be read from the log. */
  | { readonly kind: 'log'; readonly partition: number; readonly offset: number }
  /** In the window, from this sequence number on. */
  | { readonly kind: 'window'; readonly seq: number }
  /** Everything has been read, up to the limit. */
  | { readonly kind: 'head' }
