import { SluiceError } from '../errors/codes.ts'

/** Depth limit of variables: later readers are recursive, and a stack holds thousands of levels. */
const MAX_DEPTH = 50

/** @throws SluiceError `BAD_USER_INPUT` for variables that are nested too deeply. Not recursive. */
export function demandShallow(variables: object | undefined): void {
  let level: object[] = variables ? [variables] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) {
      throw new SluiceError('BAD_USER_INPUT', `The variables are nested more than ${MAX_DEPTH} levels deep`)
    }
    level = level.flatMap((each) => Object.values(each).filter(isObject))
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
