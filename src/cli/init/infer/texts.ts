import { z } from 'zod'
import { enumOf } from './enums.ts'
import type { Guess } from './place.ts'
import { hasWord, isIdName } from './words.ts'

/** What the generated definition says of times and dates: what it refuses is text here. */
const DATETIME = z.iso.datetime({ offset: true })
const DATE = z.iso.date()
/** Digits of amounts that are kept in other systems; the generated definition has the same. */
const DECIMAL_TEXT = /^-?\d{1,30}(\.\d{1,18})?$/

/** Text of so few values is perhaps an enum, where so many were seen. */
const MIN_HINTED = 50
const MAX_HINTED = 5

const MONEY = new Set(
  'amount price total subtotal cost fee tax net gross balance sum paid discount charge rate'.split(' '),
)
const NO_DECIMALS = new Set('version release build id number ip phone code zip sku'.split(' '))
const TIMES = new Set('at on time timestamp date ts created updated modified expires'.split(' '))

/** Whether values of this name are amounts, as a rule. */
export function isMoney(name: string): boolean {
  return hasWord(name, MONEY)
}

/** The shape of texts, of which there is one at least. */
export function shapeOfTexts(texts: readonly string[], name: string): Guess {
  const filled = texts.filter((text) => text !== '')
  if (filled.length === texts.length) {
    if (texts.every((text) => DATETIME.safeParse(text).success)) return { shape: { kind: 'time', as: 'text' } }
    if (texts.every((text) => DATE.safeParse(text).success)) return { shape: { kind: 'date' } }
    if (areDecimals(texts, name)) return { shape: { kind: 'decimal', as: 'text' } }
  }
  return enumOf(texts, name) ?? { shape: { kind: 'text' }, doubt: doubtOf(texts, filled, name) }
}

function areDecimals(texts: readonly string[], name: string): boolean {
  if (hasWord(name, NO_DECIMALS) || !texts.every((text) => DECIMAL_TEXT.test(text))) return false
  return isMoney(name) || texts.some((text) => text.includes('.'))
}

/** What text might be, that was not taken for it. */
function doubtOf(texts: readonly string[], filled: readonly string[], name: string): string | undefined {
  const looksLikeTime = (text: string) => /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)
  if (filled.length > 0 && filled.every(looksLikeTime)) {
    if (filled.some((text) => !DATETIME.safeParse(text).success))
      return 'Times, but not by RFC 3339 (such as without an offset): which moment they are is not said.'
  }
  const isTimed =
    filled.length > 0 && filled.every((text) => DATETIME.safeParse(text).success || DATE.safeParse(text).success)
  if (isTimed && filled.length < texts.length) return 'Times, but sometimes empty.'
  if (filled.length > 0 && filled.length < texts.length && areDecimals(filled, name))
    return 'Decimal numbers, but sometimes empty.'
  if (hasWord(name, TIMES) && texts.some((text) => DATETIME.safeParse(text).success)) return 'Times, but not always.'
  const distinct = new Set(texts).size
  if (texts.length >= MIN_HINTED && distinct >= 2 && distinct <= MAX_HINTED && !isIdName(name))
    return 'Few different values: perhaps `z.enum([…])`.'
  return undefined
}
