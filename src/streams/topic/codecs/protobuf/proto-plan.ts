import protobuf from 'protobufjs'
import { CodecFailure } from '../../codec.ts'
import { DELIMITED, type ProtoReader, START_GROUP, VARINT } from './proto-reader.ts'
import type { Scalar } from './proto-scalars.ts'
import { NULL_VALUE, type Unwrap } from './well-known.ts'

export interface MessagePlan {
  readonly fields: Map<number, FieldPlan>
  /** Those that have a value though they are not there. */
  readonly initial: FieldPlan[]
  readonly unwrap: Unwrap | undefined
}

export interface FieldPlan {
  readonly name: string
  readonly number: number
  readonly kind: 'scalar' | 'message' | 'list' | 'map'
  readonly wireType: number
  /** A list that may also be one value of all its items. */
  readonly isPackable: boolean
  /** Of a scalar, or of a list's items. */
  readonly read: (reader: ProtoReader) => unknown
  /** Makes the value of a field that is not there; undefined: it is absent. */
  readonly initial: (() => unknown) | undefined
  /** A scalar that is not there, in a map's entry. */
  readonly initialValue: unknown
  readonly message: MessagePlan | undefined
  readonly entry: { readonly key: Scalar; readonly value: FieldPlan } | undefined
  /** The other fields of its `oneof`. */
  readonly excludes: readonly string[]
}

type PlanOf = (type: protobuf.Type) => MessagePlan

/** How a field is read. */
export function fieldPlan(field: protobuf.Field, scalars: Readonly<Record<string, Scalar>>, planOf: PlanOf): FieldPlan {
  const excludes = (field.partOf?.fieldsArray ?? []).map(({ name }) => name).filter((name) => name !== field.name)
  const base = { name: field.name, number: field.id, excludes, entry: undefined }
  const none = { initial: undefined, initialValue: undefined, message: undefined, isPackable: false }
  const never = (): never => {
    throw new CodecFailure('A message is no scalar')
  }
  const { resolvedType } = field
  if (field instanceof protobuf.MapField) {
    const value = valuePlan(field, scalars, planOf)
    const key = scalars[field.keyType] as Scalar
    const entry = { key, value }
    return { ...base, ...none, kind: 'map', wireType: DELIMITED, read: never, initial: () => ({}), entry }
  }
  if (resolvedType instanceof protobuf.Type) {
    const wireType = field.delimited ? START_GROUP : DELIMITED
    const kind = field.repeated ? 'list' : 'message'
    const initial = field.repeated ? () => [] : undefined
    return { ...base, ...none, kind, wireType, read: never, initial, message: planOf(resolvedType) }
  }
  const scalar = resolvedType instanceof protobuf.Enum ? enumScalar(resolvedType) : (scalars[field.type] as Scalar)
  const { wireType, read } = scalar
  if (field.repeated) {
    const isPackable = wireType !== DELIMITED
    return { ...base, ...none, kind: 'list', wireType, read, isPackable, initial: () => [] }
  }
  const initial = field.hasPresence ? undefined : () => scalar.initial
  return { ...base, ...none, kind: 'scalar', wireType, read, initial, initialValue: scalar.initial }
}

function valuePlan(field: protobuf.MapField, scalars: Readonly<Record<string, Scalar>>, planOf: PlanOf): FieldPlan {
  const value = new protobuf.Field('value', 2, field.type)
  const { resolvedType } = field
  const none = { excludes: [], entry: undefined, isPackable: false, initial: undefined }
  const own = { name: value.name, number: value.id }
  if (resolvedType instanceof protobuf.Type) {
    const read = (): undefined => undefined
    const message = planOf(resolvedType)
    return { ...own, ...none, kind: 'message', wireType: DELIMITED, read, initialValue: undefined, message }
  }
  const scalar = resolvedType instanceof protobuf.Enum ? enumScalar(resolvedType) : (scalars[field.type] as Scalar)
  const { wireType, read, initial: initialValue } = scalar
  return { ...own, ...none, kind: 'scalar', wireType, read, initialValue, message: undefined }
}

function enumScalar(type: protobuf.Enum): Scalar {
  const isNull = type.fullName === NULL_VALUE
  const nameOf = (value: number): string | null => {
    if (isNull) return null
    const name = type.valuesById[value]
    if (name === undefined) throw new CodecFailure('An enum has a number that its definition does not')
    return name
  }
  // Proto3's first value is 0. In proto2, where it need not be, fields have presence.
  const first = isNull ? null : (type.valuesById[0] ?? Object.keys(type.values)[0])
  return { wireType: VARINT, read: (reader) => nameOf(reader.uint32() | 0), initial: first }
}
