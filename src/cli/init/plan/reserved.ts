/** Words that no constant of TypeScript's modules may be called, and what `topics/NAME.ts` has beside its own. */
export const RESERVED_CONSTANTS: readonly string[] = `
break case catch class const continue debugger default delete do else enum export extends false finally for function if
import in instanceof new null return super switch this throw true try typeof var void while with implements interface let
package private protected public static yield await async of as any arguments eval undefined NaN Infinity never object
string number boolean bigint symbol unknown type
z defineTopic json jsonCodec registry registryCodec debeziumCodec connectCodec codec
epochSeconds epochMilliseconds epochMicroseconds decimalNumber values withKey globalThis process console Object Array`
  .trim()
  .split(/\s+/)

/** Types that every schema of this gateway has, or may have, and names that TypeScript gives other things. */
export const RESERVED_TYPES: readonly string[] = `
Query Mutation Subscription String Int Float Boolean ID Cursor DateTime Decimal Long JSON BigDecimal Throttle ThrottleMode
TableOp EventRecord Codec Object Array Date Number BigInt Symbol Promise Map Set Record Buffer Error Function NaN Infinity`
  .trim()
  .split(/\s+/)

/** Arguments that a stream field has already. */
export const STREAM_ARGUMENTS: readonly string[] = ['after', 'since', 'last', 'throttle', 'where']

/** Endings of types that the gateway derives: its filters. */
export const DERIVED_TYPE = /(?:Filter|Change)$/

/** Files of `topics/` that are no topic's, and `schema/`. */
export const RESERVED_FILES: readonly string[] = ['builder', 'values', 'registry', 'index', 'con', 'prn', 'aux', 'nul']
