import { SluiceError } from '../errors/codes.ts'

/** Depth limit of variables: later readers are recursive, and a stack holds thousands of levels. */
const MAX_DEPTH = 50
/** Limit of values at all levels. graphql-js takes 0.3 µs to coerce one in a list: these take 3 ms. */
const MAX_VALUES = 10_000
/** Limit of objects and lists among them. graphql-js looks for every field of a type in an object: these take 15 ms. */
const MAX_OBJECTS = 4_000

/**
 * Bounds variables before they are coerced. Not recursive.
 * @throws SluiceError `BAD_USER_INPUT` for variables that are nested too deeply, or have too many values.
 */
export function demandSmall(variables: object | undefined): void {
  let level: object[] = variables ? [variables] : []
  let values = 0
  let objects = 0
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw tooLarge(`are nested more than ${MAX_DEPTH} levels deep`)
    const deeper: object[] = []
    for (const each of level) {
      const inner: unknown[] = Array.isArray(each) ? each : Object.values(each)
      values += inner.length
      if (values > MAX_VALUES) throw tooLarge(`have more than ${MAX_VALUES} values`)
      for (const value of inner) if (typeof value === 'object' && value !== null) deeper.push(value)
    }
    objects += deeper.length
    if (objects > MAX_OBJECTS) throw tooLarge(`have more than ${MAX_OBJECTS} objects and lists`)
    level = deeper
  }
}

function tooLarge(what: string): SluiceError {
  return new SluiceError('BAD_USER_INPUT', `The variables ${what}`)
}
