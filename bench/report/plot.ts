import { figure, type Outcome } from '../harness/scenario.ts'
import { spreadOf } from '../harness/statistics.ts'

const WIDTH = 640
const LABEL_WIDTH = 170
const FIGURE_WIDTH = 90
const BAR = 22
const ROW = 40
const TOP = 52
const BOTTOM = 28
/** Where one system's figure is this many times another's, bars on an even scale would not show the smaller. */
const LOG_ABOVE = 20

/** Bars of medians, each with its quartiles and every round as a dot. */
export function plot({ title, unit, series }: Outcome['plot'], caption: string): string {
  const rows = series.filter(({ values }) => values.length > 0)
  const all = rows.flatMap(({ values }) => values).filter((value) => value > 0)
  const [least, most] = [Math.min(...all), Math.max(...all)]
  const logarithmic = most / least > LOG_ABOVE
  const room = WIDTH - LABEL_WIDTH - FIGURE_WIDTH
  const from = 10 ** Math.floor(Math.log10(least))
  const place = (value: number) =>
    room * Math.max(0, logarithmic ? Math.log(value / from) / Math.log(most / from) : value / most)
  const height = TOP + rows.length * ROW + BOTTOM

  const bars = rows.map(({ system, values }, row) => {
    const { median, low, high } = spreadOf(values)
    const y = TOP + row * ROW
    const middle = y + BAR / 2
    const x = (value: number) => (LABEL_WIDTH + place(value)).toFixed(1)
    const dots = values.map((value) => `<circle cx="${x(value)}" cy="${middle}" r="2" class="dot"/>`).join('')
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${middle + 5}" text-anchor="end">${escaped(system)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${place(median).toFixed(1)}" height="${BAR}" class="${row === 0 ? 'own' : 'other'}"/>`,
      `<line x1="${x(low)}" x2="${x(high)}" y1="${middle}" y2="${middle}" class="spread"/>${dots}`,
      `<text x="${(LABEL_WIDTH + place(Math.max(...values)) + 10).toFixed(1)}" y="${middle + 5}">${figure(median)} ${unit}</text>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>${escaped(title)}</title>
<style>
text { font: 14px sans-serif; fill: #222 } .title { font-weight: bold } .caption { font-size: 11px; fill: #666 }
.own { fill: #2a78b8 } .other { fill: #b8c4cc } .spread { stroke: #222; stroke-width: 2 } .dot { fill: #222; opacity: 0.45 }
</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="24" class="title">${escaped(title)}${logarithmic ? ' (logarithmic)' : ''}</text>
${bars.join('\n')}
<text x="10" y="${height - 10}" class="caption">${escaped(caption)}</text>
</svg>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
