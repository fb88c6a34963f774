/** Groups that are shown, if the request does not say how many. */
const SHOWN_GROUPS = 20
/** With more, one answer would take more than a share of a turn of the event loop. */
const MAX_SHOWN_GROUPS = 100
/** Length limit of what is searched for: names are shorter. */
const MAX_TEXT_CHARS = 200

/** What is asked of an inspection. */
export interface InspectionQuery {
  /** Of each list. */
  readonly groups: number
  /** In lower case; empty: everything. */
  readonly search: string
  readonly request: string | undefined
  readonly principal: string | undefined
  /** Key of a group whose document is wanted. */
  readonly group: string | undefined
}

/** @throws RangeError that says what a parameter may be, if it is something else. */
export function readQuery(parameters: URLSearchParams): InspectionQuery {
  const given = parameters.get('groups')
  const groups = given === null ? SHOWN_GROUPS : Number(given)
  if (!/^\d{1,9}$/.test(given ?? '0') || groups > MAX_SHOWN_GROUPS)
    throw new RangeError(`"groups" is a number of groups, from 0 to ${MAX_SHOWN_GROUPS}`)
  const text = (name: string): string | undefined => {
    const value = parameters.get(name) ?? ''
    if (value.length > MAX_TEXT_CHARS) throw new RangeError(`"${name}" has at most ${MAX_TEXT_CHARS} characters`)
    return value === '' ? undefined : value
  }
  return {
    groups,
    search: text('search')?.toLowerCase() ?? '',
    request: text('request'),
    principal: text('principal'),
    group: text('group'),
  }
}

/** Whether one of some texts has what is searched for. */
export function matcher(search: string): (...texts: (string | null | undefined)[]) => boolean {
  return search === '' ? () => true : (...texts) => texts.some((text) => text?.toLowerCase().includes(search) === true)
}
