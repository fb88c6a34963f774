/** Where there are no frames, such as in a test without a page: about as many. ms */
const NO_FRAMES_MS = 16
/** A page that is not seen has no frames; it is kept up to date this often, for its title. ms */
const HIDDEN_MS = 1_000

interface Frames {
  requestAnimationFrame?(run: () => void): number
  cancelAnimationFrame?(id: number): void
}

/** Runs it before the next frame. @returns what takes that back */
export function onNextFrame(run: () => void): () => void {
  const page = globalThis as Frames
  const frame = page.requestAnimationFrame?.(go)
  const timer = setTimeout(go, frame === undefined ? NO_FRAMES_MS : HIDDEN_MS)
  function cancel() {
    clearTimeout(timer)
    if (frame !== undefined) page.cancelAnimationFrame?.(frame)
  }
  function go() {
    cancel()
    run()
  }
  return cancel
}
