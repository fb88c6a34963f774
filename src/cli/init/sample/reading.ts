/** How the records of a topic are decoded, and how the project says that. */
export interface Reading {
  /** `missing`: the bytes are not of a format that is known here. */
  readonly format: 'json' | 'connect' | 'debezium' | 'registry' | 'missing'
  /** The codec, as an expression of TypeScript. Undefined: JSON, which is the default. */
  readonly codec: string | undefined
  /** What the expression needs from `sluice`. */
  readonly imports: readonly string[]
  /** It needs the project's schema registry. */
  readonly usesRegistry: boolean
}

export const JSON_READING: Reading = { format: 'json', codec: undefined, imports: [], usesRegistry: false }
