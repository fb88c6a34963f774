import type { Field, ObjectShape, Shape } from '../../../streams/topic/shape.ts'
import type { Reading } from '../sample/reading.ts'

/** A property of a record, as a field of GraphQL. */
export interface FieldPlan extends Field {
  /** In the record. */
  readonly source: string
  /** In GraphQL. */
  readonly name: string
}

export interface ObjectPlan {
  readonly kind: 'object'
  readonly name: string
  readonly fields: readonly FieldPlan[]
  /** As a kind of a union: the property that says so. */
  readonly discriminator?: { readonly source: string; readonly name: string; readonly value: string }
}

export interface UnionPlan {
  readonly kind: 'union'
  readonly name: string
  readonly by: string
  readonly of: readonly ObjectPlan[]
}

export interface EnumPlan {
  readonly kind: 'enum'
  readonly name: string
  /** By their names in GraphQL. */
  readonly members: ReadonlyMap<string, string>
}

/** A value that is no object, as the field `value` of one. */
export interface ValuePlan {
  readonly kind: 'value'
  readonly name: string
  readonly value: Field
}

export type TypePlan = ObjectPlan | UnionPlan | EnumPlan | ValuePlan

/** What one topic becomes. */
export interface TopicPlan {
  readonly topic: string
  /** Without an ending. */
  readonly file: string
  /** The constant of the topic's definition. */
  readonly constant: string
  /** The field of `Subscription`. */
  readonly field: string
  /** Of events. */
  readonly type: ObjectPlan | UnionPlan | ValuePlan
  /** All types, those first that others need. */
  readonly types: readonly TypePlan[]
  readonly reading: Reading
  /** Properties that are proposed to be looked up by equality, and by ranges. */
  readonly index: readonly FieldPlan[]
  readonly ordered: readonly FieldPlan[]
  /** The property that the keys of records are. */
  readonly key: string | undefined
  /** The property `id` is the record's key: the value has none that tells events apart. */
  readonly isIdKey: boolean
  /** What is to be known of the topic, as sentences for comments. */
  readonly notes: readonly string[]
  /** The plans of objects, unions and enums by their shapes. */
  readonly named: ReadonlyMap<Shape | ObjectShape, TypePlan>
}
