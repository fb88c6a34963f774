/**
 * What values of a topic look like, whatever said so: a schema of a registry, or records that were looked at. Topic
 * definitions and GraphQL types are written from it.
 */
export type Shape =
  | ObjectShape
  | { readonly kind: 'list'; readonly of: Field }
  /** An object whose keys are data, not names. */
  | { readonly kind: 'map'; readonly of: Field }
  /** Several kinds of objects, told apart by the value of a property. */
  | { readonly kind: 'union'; readonly by: string; readonly of: ReadonlyMap<string, ObjectShape> }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'text' }
  | { readonly kind: 'boolean' }
  /** Of 32 bits, signed. */
  | { readonly kind: 'int' }
  /** A whole number beyond 32 bits: as a number it is below 2^53. */
  | { readonly kind: 'long'; readonly as: 'number' | 'text' }
  | { readonly kind: 'float' }
  | { readonly kind: 'decimal'; readonly as: 'number' | 'text' }
  /** Text by RFC 3339, or a number since the epoch. */
  | { readonly kind: 'time'; readonly as: 'text' | 's' | 'ms' | 'us' }
  /** YYYY-MM-DD. */
  | { readonly kind: 'date' }
  /** Bytes in base64. */
  | { readonly kind: 'bytes' }
  /** Anything: JSON. */
  | { readonly kind: 'unknown' }

export interface ObjectShape {
  readonly kind: 'object'
  /** By the names in the record, in the order in which they were met. */
  readonly fields: ReadonlyMap<string, Field>
  /** What the definition calls it. */
  readonly name?: string
}

export interface Field {
  readonly shape: Shape
  readonly isOptional: boolean
  readonly isNullable: boolean
  readonly description?: string
  /** What is not certain about it, as a sentence for a comment. */
  readonly doubt?: string
}
