/** The version of Nginx for which a configuration is written, where none is said: that of Debian 12. */
export const DEFAULT_NGINX = '1.22'
/** The oldest that the tests run. */
const OLDEST = [1, 22, 0] as const

/** In what the versions of Nginx differ, as far as this configuration has it. */
export interface Form {
  /** The first version that wants another form; absent for the newest form. */
  readonly before?: string
  /** `http2 on;` in a server (1.25.1). Before it is a parameter of `listen`, which newer ones warn of. */
  readonly hasHttp2Directive: boolean
  /** Servers of a group can be looked up again and again (`resolve`, 1.27.3 in the free Nginx). */
  readonly resolves: boolean
  /** Connections to upstreams are kept by default (1.29.7), which this configuration must not have. */
  readonly keepsConnections: boolean
}

/** @throws Error for one that is older than what is tested. */
export function formOf(version: string): Form {
  const numbers = version.split('.').map(Number)
  const isFrom = (...wanted: readonly number[]) => compare(numbers, wanted) >= 0
  if (!isFrom(...OLDEST)) throw new Error(`The option nginx is wrong: wants ${OLDEST.slice(0, 2).join('.')} or newer`)
  const before = ['1.25.1', '1.29.7'].find((limit) => !isFrom(...limit.split('.').map(Number)))
  return {
    ...(before !== undefined && { before }),
    hasHttp2Directive: isFrom(1, 25, 1),
    resolves: isFrom(1, 27, 3),
    keepsConnections: isFrom(1, 29, 7),
  }
}

/** A version without its last number is the oldest of its branch. */
function compare(numbers: readonly number[], wanted: readonly number[]): number {
  const i = wanted.findIndex((number, place) => (numbers[place] ?? 0) !== number)
  return i < 0 ? 0 : (numbers[i] ?? 0) - wanted[i]!
}
