import { setTimeout as delay } from 'node:timers/promises'
import { vi } from 'vitest'

/** Time as a world has it: made up, where nothing but the gateway's own timers wait for it, or the real one. */
export interface Clock {
  readonly heartbeatMs: number
  pass(ms: number): Promise<void>
  /** Some turns of the event loop, or as long as a broker takes for a few requests. */
  settle(): Promise<void>
}

export const MADE_UP: Clock = {
  heartbeatMs: 3200,
  pass: async (ms) => void vi.advanceTimersByTime(ms),
  settle: () => Promise.resolve(),
}

export const REAL: Clock = {
  heartbeatMs: 640,
  pass: (ms) => delay(Math.min(ms, 700)),
  settle: () => delay(30),
}
