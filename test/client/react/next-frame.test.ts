import { expect, onTestFinished, test, vi } from 'vitest'
import { onNextFrame } from '../../../packages/client/src/react/next-frame.ts'

/** A page whose frames come when the test says. */
function framesOf(page: { isHidden?: boolean } = {}) {
  vi.useFakeTimers()
  const waiting = new Map<number, () => void>()
  let number = 0
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => {
    waiting.set(++number, run)
    return number
  })
  vi.stubGlobal('cancelAnimationFrame', (id: number) => waiting.delete(id))
  onTestFinished(() => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })
  return {
    waiting,
    frame() {
      const runs = page.isHidden ? [] : [...waiting.values()]
      if (!page.isHidden) waiting.clear()
      for (const run of runs) run()
    },
  }
}

test('it runs once, before the next frame', () => {
  const { frame } = framesOf()
  const run = vi.fn()
  onNextFrame(run)
  expect(run).not.toHaveBeenCalled()
  frame()
  frame()
  vi.runAllTimers()
  expect(run).toHaveBeenCalledTimes(1)
})

test('a page that is hidden, and has no frames, is kept up to date by a timer', () => {
  const { frame, waiting } = framesOf({ isHidden: true })
  const run = vi.fn()
  onNextFrame(run)
  frame()
  vi.advanceTimersByTime(999)
  expect(run).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(run).toHaveBeenCalledTimes(1)
  expect(waiting.size).toBe(0)
})

test('where there are no frames, a timer takes their place', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const run = vi.fn()
  onNextFrame(run)
  vi.advanceTimersByTime(16)
  expect(run).toHaveBeenCalledTimes(1)
})

test('what is taken back does not run, and leaves no timer', () => {
  const { frame } = framesOf()
  const run = vi.fn()
  onNextFrame(run)()
  frame()
  expect(vi.getTimerCount()).toBe(0)
  expect(run).not.toHaveBeenCalled()
})
