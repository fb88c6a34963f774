import { SluiceError } from '../errors/codes.ts'

/** Levels within levels of variables. Whatever reads them later calls itself for each, and a stack holds thousands. */
const MAX_DEPTH = 50

/** @throws SluiceError `BAD_USER_INPUT` for variables that are nested too deeply. Does not call itself. */
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
