import type { ObjectShape, Shape } from '../../../streams/topic/shape.ts'
import { areCodes } from './enums.ts'

type Values = Readonly<Record<string, unknown>>

/** Properties that say which kind of object it is, the usual ones first. */
const DISCRIMINATORS = [
  'type',
  'kind',
  'event',
  'eventType',
  'event_type',
  'eventName',
  'event_name',
  'messageType',
  'message_type',
  '__typename',
  '_type',
  '@type',
  '$type',
  'action',
] // prettier-ignore
const MAX_KINDS = 12
/** Of each kind: what one object has says little about the others. */
const MIN_EACH = 3

export interface Kinds {
  readonly by: string
  readonly of: ReadonlyMap<string, readonly Values[]>
}

/**
 * Objects of several kinds: they have a text that says which, and what they have depends on it. Some property must be
 * there always for one kind, and never for another; otherwise they are objects of one kind with a status.
 */
export function kindsOf(objects: readonly Values[]): Kinds | undefined {
  for (const by of DISCRIMINATORS) {
    const of = new Map<string, Values[]>()
    if (!objects.every((object) => Object.hasOwn(object, by) && typeof object[by] === 'string')) continue
    for (const object of objects) {
      const kind = object[by] as string
      const same = of.get(kind)
      if (same) same.push(object)
      else of.set(kind, [object])
    }
    if (of.size < 2 || of.size > MAX_KINDS || !areCodes(of.keys())) continue
    if ([...of.values()].every((same) => same.length >= MIN_EACH) && differ([...of.values()])) {
      return { by, of: new Map([...of].sort(([a], [b]) => (a < b ? -1 : 1))) }
    }
  }
  return undefined
}

function differ(groups: readonly (readonly Values[])[]): boolean {
  const always = groups.map(
    (group) =>
      new Set(Object.keys(group[0] as Values).filter((key) => group.every((each) => Object.hasOwn(each, key)))),
  )
  return groups.every((group, place) =>
    groups.some((_, other) => {
      if (other === place) return false
      const own = [...(always[place] as Set<string>)]
      const others = [...(always[other] as Set<string>)]
      const lacks = (objects: readonly Values[], keys: readonly string[]) =>
        keys.some((key) => objects.every((each) => !Object.hasOwn(each, key)))
      return lacks(groups[other] as readonly Values[], own) || lacks(group, others)
    }),
  )
}

export function unionOf(kinds: Kinds, objectOf: (objects: readonly Values[]) => ObjectShape): Shape {
  return { kind: 'union', by: kinds.by, of: new Map([...kinds.of].map(([kind, objects]) => [kind, objectOf(objects)])) }
}
