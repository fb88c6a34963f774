/** A time as Nginx writes it, in the largest unit that it is a whole number of. */
export function time(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}
