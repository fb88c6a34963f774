/** Numbers and times for people. Everything is text: nothing that a client names is ever read as HTML. */

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

/** @param {number | null | undefined} value */
export function count(value) {
  if (value === null || value === undefined) return '–'
  return Math.abs(value) >= 100_000 ? SHORT.format(value) : COUNT.format(value)
}

/** @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return '–'
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return '–'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
  if (ms < 48 * 3_600_000) return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`
  return `${Math.floor(ms / 86_400_000)} d`
}

/** The time of day in UTC, with the date where it is another one. @param {string} at @param {string} now */
export function time(at, now) {
  const text = at.slice(11, 19)
  return at.slice(0, 10) === now.slice(0, 10) ? text : `${at.slice(0, 10)} ${text}`
}

/** @param {Readonly<Record<string, unknown>>} counts */
export function pairs(counts) {
  return Object.entries(counts)
    .map(([name, value]) => `${value} ${name}`)
    .join(', ')
}

/** What a filter became. @param {{ lookups: object[], tests: string[] }} filter */
export function plan({ lookups, tests }) {
  if (lookups.length === 0) return 'nothing'
  const looked = lookups.map((lookup) =>
    Object.entries(lookup)
      .map(([name, value]) => `${name} ${typeof value === 'string' ? `= ${value}` : JSON.stringify(value)}`)
      .join(' and '),
  )
  const shown = [...new Set(looked)].slice(0, 4).map((text) => text || 'everything')
  const more = looked.length > 4 ? ` or ${looked.length - 4} more` : ''
  return [shown.join(' or ') + more, ...tests].join('; ')
}
