const WIDTH = 90
const HEIGHT = 24
/** The line is not cut off at the top. */
const MARGIN = 1.5

/** Paths of a sparkline: its line, and the area below it. */
export function sparkPaths(values: readonly number[]): { readonly line: string; readonly area: string } {
  const most = Math.max(1, ...values)
  const step = WIDTH / Math.max(1, values.length - 1)
  const points = values.map((value, i) => {
    const y = HEIGHT - MARGIN - (value / most) * (HEIGHT - 2 * MARGIN)
    return `${(i * step).toFixed(1)} ${y.toFixed(1)}`
  })
  const line = `M${points.join('L')}`
  return { line, area: `${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z` }
}
