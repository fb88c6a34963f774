const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const compactEuros = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'EUR',
  notation: 'compact',
  maximumSignificantDigits: 3,
})
/** Limit of cached formats: fewer than 200 currencies exist, but the field takes any three letters. */
const MAX_FORMATS = 300
const byCurrency = new Map<string, Intl.NumberFormat>()

export const count = (value: number): string => whole.format(value)

export const compactCount = (value: number): string => (value < 10_000 ? whole.format(value) : compact.format(value))

export const euros = (value: number): string => compactEuros.format(value)

export const wholeEuros = (value: number): string => whole.format(value)

export function money(amount: string, currency: string): string {
  let format = byCurrency.get(currency)
  if (!format) {
    try {
      format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' })
    } catch {
      return `${currency} ${amount}` // three characters that are no code
    }
    if (byCurrency.size < MAX_FORMATS) byCurrency.set(currency, format)
  }
  return format.format(Number(amount))
}

export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return '–'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}
