import type { Field, Shape } from '../../../streams/topic/shape.ts'
import type { TopicPlan, TypePlan } from '../plan/plan.ts'
import { comment, fitted, propertyName, quoted } from './text.ts'

/** Functions of the project's `topics/values.ts`, by the shapes that need them. */
export const VALUE_SCHEMAS = {
  s: 'epochSeconds',
  ms: 'epochMilliseconds',
  us: 'epochMicroseconds',
  decimal: 'decimalNumber',
} as const

/** Amounts as text: what has been seen, and no exponent. */
const DECIMAL = 'z.string().regex(/^-?\\d{1,30}(\\.\\d{1,18})?$/)'

/** The zod schema of a field, as an expression. */
function zodOf(field: Field, named: TopicPlan['named']): string {
  const nullable = field.isNullable && field.shape.kind !== 'unknown' ? '.nullable()' : ''
  return `${zodOfShape(field.shape, named)}${nullable}${field.isOptional ? '.optional()' : ''}`
}

function zodOfShape(shape: Shape, named: TopicPlan['named']): string {
  const plan = named.get(shape)
  if (plan) return plan.name
  switch (shape.kind) {
    case 'list':
      return `z.array(${zodOf(required(shape.of), named)})`
    case 'map':
      return `z.record(z.string(), ${zodOf(required(shape.of), named)})`
    case 'text':
      return 'z.string()'
    case 'boolean':
      return 'z.boolean()'
    case 'int':
      return 'z.int32()'
    case 'long':
      return shape.as === 'number' ? 'z.int()' : 'z.string().regex(/^-?\\d{1,20}$/)'
    case 'float':
      return 'z.number()'
    case 'decimal':
      return shape.as === 'text' ? DECIMAL : VALUE_SCHEMAS.decimal
    case 'time':
      return shape.as === 'text' ? 'z.iso.datetime({ offset: true })' : VALUE_SCHEMAS[shape.as]
    case 'date':
      return 'z.iso.date()'
    case 'bytes':
      return 'z.base64()'
    default:
      return 'z.unknown()'
  }
}

/** There is no absent item of a list. */
function required(field: Field): Field {
  return { ...field, isOptional: false }
}

/** The definition of a type's values, with its doubts. */
export function definitionOf(plan: TypePlan, named: TopicPlan['named']): string {
  const { name } = plan
  const start = `export const ${name} = `
  switch (plan.kind) {
    case 'enum':
      return `${fitted(`${start}z.enum([`, [...plan.members.values()].map(quoted), '])', '', false)}\n`
    case 'union':
      return `${fitted(
        `${start}z.discriminatedUnion(${quoted(plan.by)}, [`,
        plan.of.map((each) => each.name),
        '])',
        '',
        false,
      )}
export type ${name} = z.output<typeof ${name}>\n`
    case 'value':
      return `${start}${zodOf(plan.value, named)}
export type ${name} = z.output<typeof ${name}>\n`
    case 'object': {
      const { discriminator } = plan
      const lines = [
        ...(discriminator
          ? [`  ${propertyName(discriminator.source)}: z.literal(${quoted(discriminator.value)}),`]
          : []),
        ...plan.fields.flatMap((field) => [
          ...(field.doubt === undefined ? [] : comment([field.doubt], '  ')),
          `  ${propertyName(field.source)}: ${zodOf(field, named)},`,
        ]),
      ]
      return `${start}z.object({\n${lines.join('\n')}\n})
export type ${name} = z.output<typeof ${name}>\n`
    }
  }
}

/** The functions of `topics/values.ts` that a topic needs. */
export function valueSchemasOf(source: string): string[] {
  return Object.values(VALUE_SCHEMAS).filter((name) => new RegExp(`\\b${name}\\b`).test(source))
}
