import type { TCurrencyCode } from 'countries-list'
import { currencies } from 'countries-list/currencies'

/**
 * What one US dollar is in each currency, to the magnitude: rounded rates of 2025, so that a demo's amounts look
 * right. Not for any other use.
 */
const PER_DOLLAR: Partial<Record<TCurrencyCode, number>> = {
  // Europe
  ALL: 84,
  BAM: 1.7,
  BYN: 3.3,
  CHF: 0.8,
  CZK: 21,
  DKK: 6.4,
  EUR: 0.86,
  FKP: 0.75,
  GBP: 0.75,
  GIP: 0.75,
  HUF: 335,
  ISK: 125,
  MDL: 17,
  MKD: 53,
  NOK: 10,
  PLN: 3.7,
  RON: 4.4,
  RSD: 101,
  RUB: 80,
  SEK: 9.5,
  SHP: 0.75,
  UAH: 42,
  // Asia
  AED: 3.67,
  AFN: 66,
  AMD: 382,
  AZN: 1.7,
  BDT: 122,
  BHD: 0.376,
  BND: 1.3,
  BTN: 88,
  CNY: 7.1,
  GEL: 2.7,
  HKD: 7.8,
  IDR: 16_600,
  ILS: 3.3,
  INR: 88,
  IQD: 1310,
  IRR: 42_000,
  JOD: 0.71,
  JPY: 150,
  KGS: 87,
  KHR: 4000,
  KPW: 900,
  KRW: 1420,
  KWD: 0.307,
  KZT: 530,
  LAK: 21_700,
  LBP: 89_500,
  LKR: 304,
  MMK: 2100,
  MNT: 3590,
  MOP: 8,
  MVR: 15.4,
  MYR: 4.2,
  NPR: 141,
  OMR: 0.385,
  PHP: 58,
  PKR: 281,
  QAR: 3.64,
  SAR: 3.75,
  SGD: 1.3,
  SYP: 11_000,
  THB: 32.5,
  TJS: 9.3,
  TMT: 3.5,
  TRY: 42,
  TWD: 31,
  UZS: 12_000,
  VND: 26_300,
  YER: 239,
  // Africa
  AOA: 917,
  BIF: 2950,
  BWP: 13.4,
  CDF: 2200,
  CVE: 95,
  DJF: 178,
  DZD: 130,
  EGP: 47.5,
  ERN: 15,
  ETB: 150,
  GHS: 10.9,
  GMD: 73,
  GNF: 8680,
  KES: 129,
  KMF: 424,
  LRD: 183,
  LSL: 17.3,
  LYD: 5.4,
  MAD: 9.2,
  MGA: 4480,
  MRU: 40,
  MUR: 45,
  MWK: 1730,
  MZN: 64,
  NAD: 17.3,
  NGN: 1450,
  RWF: 1450,
  SCR: 14,
  SDG: 600,
  SLE: 23,
  SOS: 571,
  SSP: 4700,
  STN: 21,
  SZL: 17.3,
  TND: 2.9,
  TZS: 2450,
  UGX: 3500,
  XAF: 565,
  XOF: 565,
  ZAR: 17.3,
  ZMW: 22,
  ZWG: 26.5,
  // North America
  AWG: 1.79,
  BBD: 2,
  BMD: 1,
  BSD: 1,
  BZD: 2,
  CAD: 1.4,
  CRC: 502,
  CUP: 24,
  DOP: 64,
  GTQ: 7.7,
  HNL: 26,
  HTG: 131,
  JMD: 160,
  KYD: 0.83,
  MXN: 18.5,
  NIO: 36.8,
  PAB: 1,
  TTD: 6.8,
  USD: 1,
  XCD: 2.7,
  XCG: 1.79,
  // South America
  ARS: 1450,
  BOB: 6.9,
  BRL: 5.4,
  CLP: 940,
  COP: 3850,
  GYD: 209,
  PEN: 3.4,
  PYG: 7080,
  SRD: 39,
  UYU: 39.8,
  VES: 220,
  // Oceania
  AUD: 1.53,
  FJD: 2.3,
  NZD: 1.74,
  PGK: 4.2,
  SBD: 8.2,
  TOP: 2.4,
  VUV: 122,
  WST: 2.8,
  XPF: 103,
}

/**
 * An amount of US dollars as text in a currency, with the decimals of that currency (ISO 4217): "129.90", "19300".
 * Rounded to what prices there are rounded to, about a cent to a dollar: 100 VND, 10 KRW, 0.01 EUR.
 * @throws RangeError for a currency that the table does not have.
 */
export function amountText(dollars: number, currency: TCurrencyCode): string {
  const rate = PER_DOLLAR[currency]
  if (rate === undefined) throw new RangeError(`There is no rate for ${currency}`)
  const { decimals } = currencies[currency]
  const step = 10 ** Math.max(-decimals, Math.floor(Math.log10(rate)) - 2)
  return (Math.max(1, Math.round((dollars * rate) / step)) * step).toFixed(decimals)
}

/** Rates in the table have at most three decimals. */
const RATE_SCALE = 1000

/**
 * An amount of a currency in cents of EUR, by the same rates: exact, and rounded once, half up. No currency of these
 * amounts has more than three decimals.
 * @throws RangeError for a currency that the table does not have, and for text that is no amount.
 */
export function euroCents(amount: string, currency: string): bigint {
  const rate = PER_DOLLAR[currency as TCurrencyCode]
  const euros = PER_DOLLAR.EUR as number
  if (rate === undefined) throw new RangeError(`There is no rate for ${currency}`)
  const matched = /^(\d+)(?:\.(\d{1,3}))?$/.exec(amount)
  if (!matched) throw new RangeError(`"${amount}" is no amount`)
  const thousandths = BigInt(`${matched[1]}${(matched[2] ?? '').padEnd(3, '0')}`)
  const numerator = thousandths * BigInt(Math.round(euros * RATE_SCALE))
  // Thousandths of EUR to cents: a tenth.
  const denominator = BigInt(Math.round(rate * RATE_SCALE)) * 10n
  return (2n * numerator + denominator) / (2n * denominator)
}
