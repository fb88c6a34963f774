import { afterEach, beforeEach, expect } from 'vitest'

/** Has every test of the file fail for what nobody catches, which would end the process. */
export function expectNothingUncaught(): void {
  const uncaught: unknown[] = []
  const keep = (error: unknown) => uncaught.push(error)
  beforeEach(() => {
    uncaught.length = 0
    process.on('uncaughtException', keep)
    process.on('unhandledRejection', keep)
  })
  afterEach(() => {
    process.off('uncaughtException', keep)
    process.off('unhandledRejection', keep)
    expect(uncaught).toEqual([])
  })
}
