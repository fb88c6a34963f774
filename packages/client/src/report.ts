/** Tells of an error that nobody catches, as the platform does for its own callbacks. Node has no `reportError`. */
export function report(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void }
  if (reportError) reportError(error)
  else console.error(error)
}
