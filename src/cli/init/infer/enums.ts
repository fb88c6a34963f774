import { GIVEN_NAMES } from './given-names.ts'
import type { Guess } from './place.ts'
import { endsWithWord, hasWord, wordsOf } from './words.ts'

/** Fewer values say nothing about which others there are. */
const MIN_VALUES = 20
/** One value says nothing about the others. */
const MIN_MEMBERS = 2
/** More members are rather a list of codes, which grows. */
const MAX_MEMBERS = 12
/** Of each member: what was seen once may be anything. */
const MIN_REPEATS = 2
/** Values a member, on average. */
const MIN_AVERAGE = 4
const MAX_LENGTH = 40
/** Digits of a member: more are a number of something, or a person's. */
const MAX_DIGITS = 3

const wordSet = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/))

/** Last words of names whose values are a closed set, as a rule. */
const ENUM_WORDS = wordSet(`
status state type kind mode level severity priority op operation action category channel method phase stage tier
result outcome reason role direction side format visibility environment env plan trigger event strategy policy`)

/** Words of names of persons, of what belongs to one, of what tells things apart, and of free text: no enum without a hint. */
const OWN_WORDS = wordSet(`
id uuid guid key ref reference number no nr name names email mail phone mobile tel fax user users username login customer
client owner author person people contact employee staff agent operator driver patient doctor recipient sender receiver
holder assignee approver reviewer creator by who whom from to first last middle surname given family maiden nick nickname
handle alias address street city town zip postcode postal place ssn iban bic account birth birthday gender sex religion ip
host hostname device session token secret password hash signature comment comments note notes message description title
subject text body content url uri path file filename tag tags label code member guest party signed`)

/** Codes of lists that others keep: what was seen is never all of them. */
const OPEN_CODES = wordSet('currency country language lang locale timezone zone airport sku symbol ticker unit')

const MEMBER = /^[A-Za-z][A-Za-z0-9]*(?:[_.:/-][A-Za-z0-9]+)*$/
const CODE = /^[A-Z][A-Z0-9]*(?:[_.:/-][A-Z0-9]+)*$/

/** Members that are written into a project: none is a person's, and none is free text. */
export function areCodes(members: Iterable<string>): boolean {
  for (const member of members) {
    if (member.length > MAX_LENGTH || !MEMBER.test(member)) return false
    if (member.replace(/\D/g, '').length > MAX_DIGITS) return false
    if (wordsOf(member).some((word) => GIVEN_NAMES.has(word))) return false
  }
  return true
}

/**
 * An enum, where the values are few, repeated, and look like codes: those of a property whose name says so (`status`), or
 * in capitals where the name does not say that they are a person's or an open list's. Undefined: it is text.
 */
export function enumOf(texts: readonly string[], name: string): Guess | undefined {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  if (
    counts.size < MIN_MEMBERS ||
    counts.size > MAX_MEMBERS ||
    texts.length < MIN_VALUES ||
    texts.length < counts.size * MIN_AVERAGE
  )
    return undefined
  if ([...counts.values()].some((count) => count < MIN_REPEATS) || !areCodes(counts.keys())) return undefined
  if (hasWord(name, OPEN_CODES) && !endsWithWord(name, ENUM_WORDS)) return undefined
  const hinted = endsWithWord(name, ENUM_WORDS)
  const coded = [...counts.keys()].every((member) => member.length > 1 && CODE.test(member))
  if (!hinted && hasWord(name, OWN_WORDS)) return undefined
  if (!hinted && !coded) return undefined
  return {
    shape: { kind: 'enum', values: [...counts.keys()].sort() },
    doubt: 'The values that were seen: a record with another one is skipped.',
  }
}
