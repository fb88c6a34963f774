import type { Field, Shape } from '../../../streams/topic/shape.ts'
import { isIdName } from '../infer/words.ts'
import type { TopicPlan, TypePlan } from '../plan/plan.ts'
import { quoted } from './text.ts'

/** What a shape is in GraphQL. */
export interface Output {
  /** Of the field, or of the items of its list. */
  readonly type: { readonly scalar: string } | { readonly plan: TypePlan }
  readonly isList: boolean
  readonly areItemsNullable: boolean
  /** In the schema's description: what the type alone does not say. */
  readonly description?: string
}

const JSON_OUTPUT: Output = { type: { scalar: 'JSON' }, isList: false, areItemsNullable: false }

/** Lists of lists, maps, and what is not known are JSON. */
export function outputOf({ shape }: Pick<Field, 'shape'>, name: string, named: TopicPlan['named']): Output {
  if (shape.kind === 'list') {
    const item = outputOf(shape.of, name, named)
    if (item.isList || ('scalar' in item.type && item.type.scalar === 'JSON')) return JSON_OUTPUT
    return { ...item, isList: true, areItemsNullable: shape.of.isNullable }
  }
  const plan = named.get(shape)
  if (plan) return { ...JSON_OUTPUT, type: { plan } }
  const [scalar, description] = scalarOf(shape, name)
  return { ...JSON_OUTPUT, type: { scalar }, ...(description !== undefined && { description }) }
}

function scalarOf(shape: Shape, name: string): readonly [scalar: string, description?: string] {
  switch (shape.kind) {
    case 'text':
      return [isIdName(name) ? 'ID' : 'String']
    case 'date':
      return ['String', 'A date: YYYY-MM-DD.']
    case 'bytes':
      return ['String', 'Bytes in base64.']
    case 'boolean':
      return ['Boolean']
    case 'int':
      return ['Int']
    case 'long':
      return ['Long']
    case 'float':
      return ['Float']
    case 'decimal':
      return ['Decimal']
    case 'time':
      return ['DateTime']
    default:
      return ['JSON']
  }
}

/** The `type` of Pothos's options: `'String'`, `PaymentStatus`, `[PaymentItem]`. */
export function typeExpression({ type, isList }: Output): string {
  const one = 'scalar' in type ? quoted(type.scalar) : type.plan.name
  return isList ? `[${one}]` : one
}

/** The option `nullable`. Undefined: it is not. */
export function nullableExpression(field: Field, { isList, areItemsNullable }: Output): string | undefined {
  const isNullable = field.isNullable || field.isOptional || field.shape.kind === 'unknown'
  if (isList && areItemsNullable) return `{ list: ${isNullable}, items: true }`
  return isNullable ? 'true' : undefined
}

/** The types that the schema shows, inner ones first: not those of what is JSON. */
export function shownTypes(plan: TopicPlan): TypePlan[] {
  const shown = new Set<TypePlan>()
  const visit = (type: TypePlan): void => {
    if (shown.has(type)) return
    if (type.kind === 'object') for (const field of type.fields) visitField(field, field.source)
    if (type.kind === 'union') for (const each of type.of) visit(each)
    if (type.kind === 'value') visitField(type.value, '')
    shown.add(type)
  }
  const visitField = (field: Field, name: string): void => {
    const { type } = outputOf(field, name, plan.named)
    if ('plan' in type) visit(type.plan)
  }
  visit(plan.type)
  return [...shown]
}
