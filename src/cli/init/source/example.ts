import type { Field, Shape } from '../../../streams/topic/shape.ts'
import type { ObjectPlan, TopicPlan, TypePlan } from '../plan/plan.ts'
import { outputOf } from './output.ts'

/** A value made up from a shape, at each step of its way. */
export interface Example {
  /** In the record, as the codec gives it. */
  readonly record: unknown
  /** As the topic's schema makes it. */
  readonly value: unknown
  /** As GraphQL shows it. */
  readonly event: unknown
  /** What a document selects of it, with its braces. Empty: it has no fields. */
  readonly selection: string
}

/** What a document of the test selects at most: deeper or wider ones are refused by the gateway's limits. */
const MAX_LEVELS = 5
const MAX_FIELDS = 25

const same = (value: unknown): Example => ({ record: value, value, event: value, selection: '' })
const MOMENT = Date.UTC(2026, 0, 1)
const ISO = '2026-01-01T00:00:00.000Z'

/** Of a topic's whole value. */
export function exampleOf(plan: TopicPlan): Example {
  const { type } = plan
  if (type.kind !== 'value') return ofType(type, plan, MAX_LEVELS)
  const example = ofField(type.value, 'value', plan, MAX_LEVELS)
  return { ...example, event: { value: example.event }, selection: `{ value ${example.selection}}` }
}

function ofField(field: Field, name: string, plan: TopicPlan, levels: number): Example {
  const { shape } = field
  const type = plan.named.get(shape)
  if (type) return ofType(type, plan, levels)
  if (shape.kind !== 'list' && shape.kind !== 'map') return ofScalar(shape)
  const item = ofField(shape.of, name, plan, levels)
  const around = (value: unknown) => (shape.kind === 'list' ? [value] : { key: value })
  const isJson = isShownAsJson(field, name, plan)
  return {
    record: around(item.record),
    value: around(item.value),
    event: around(isJson ? item.value : item.event),
    selection: isJson ? '' : item.selection,
  }
}

function isShownAsJson(field: Field, name: string, { named }: TopicPlan): boolean {
  const { type } = outputOf(field, name, named)
  return 'scalar' in type && type.scalar === 'JSON'
}

function ofType(type: TypePlan, plan: TopicPlan, levels: number): Example {
  if (type.kind === 'enum') {
    const [member, value] = [...type.members][0] as [string, string]
    return { record: value, value, event: member, selection: '' }
  }
  if (type.kind === 'value') return ofField(type.value, 'value', plan, levels)
  if (type.kind === 'object') return ofObject(type, plan, levels)
  const kind = type.of[0] as ObjectPlan
  const example = ofObject(kind, plan, levels)
  return { ...example, selection: `{ ... on ${kind.name} ${example.selection}}` }
}

function ofObject(type: ObjectPlan, plan: TopicPlan, levels: number): Example {
  const record: [string, unknown][] = []
  const value: [string, unknown][] = []
  const event: [string, unknown][] = [['__typename', type.name]]
  const selected: string[] = ['__typename']
  const { discriminator } = type
  if (discriminator) {
    record.push([discriminator.source, discriminator.value])
    value.push([discriminator.source, discriminator.value])
    selected.push(discriminator.name)
    event.push([discriminator.name, discriminator.value])
  }
  for (const field of type.fields) {
    const inner = ofField(field, field.source, plan, levels - 1)
    record.push([field.source, inner.record])
    value.push([field.source, inner.value])
    if (selected.length >= MAX_FIELDS || (inner.selection !== '' && levels <= 1)) continue
    selected.push(inner.selection === '' ? field.name : `${field.name} ${inner.selection.trim()}`)
    event.push([field.name, inner.event])
  }
  return {
    record: Object.fromEntries(record),
    value: Object.fromEntries(value),
    event: Object.fromEntries(event),
    selection: `{ ${selected.join(' ')} } `,
  }
}

function ofScalar(shape: Shape): Example {
  switch (shape.kind) {
    case 'text':
      return same('text')
    case 'boolean':
      return same(true)
    case 'int':
      return same(1)
    case 'long':
      return { ...same('1'), record: shape.as === 'text' ? '1' : 1, value: shape.as === 'text' ? '1' : 1 }
    case 'float':
      return same(1.5)
    case 'decimal':
      return { ...same('1.5'), record: shape.as === 'text' ? '1.5' : 1.5 }
    case 'time':
      return timeExample(shape.as)
    case 'date':
      return same(ISO.slice(0, 10))
    case 'bytes':
      return same('AA==')
    default:
      return same('text')
  }
}

function timeExample(as: 'text' | 's' | 'ms' | 'us'): Example {
  if (as === 'us') return { ...same(ISO.replace('Z', '000Z')), record: MOMENT * 1000 }
  return { ...same(ISO), record: { text: ISO, s: MOMENT / 1000, ms: MOMENT }[as] }
}
