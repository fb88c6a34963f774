import type { TopicPlan } from '../plan/plan.ts'
import { comment, docComment, fitted, quoted } from './text.ts'
import { definitionOf, valueSchemasOf } from './zod.ts'

/** `topics/NAME.ts`: the shape of the records, and the topic. */
export function topicSource(plan: TopicPlan): string {
  const definitions = plan.types.map((type) => definitionOf(type, plan.named)).join('\n')
  const codec = codecOf(plan)
  const names = ['defineTopic', ...plan.reading.imports, ...(codec?.imports ?? [])]
  const values = valueSchemasOf(definitions)
  const imports = [
    `import { ${[...new Set(names)].sort().join(', ')} } from 'sluice'`,
    "import { z } from 'zod'",
    ...(plan.reading.usesRegistry ? ["import { registry } from './registry.ts'"] : []),
    ...(values.length === 0 ? [] : [`import { ${values.sort().join(', ')} } from './values.ts'`]),
  ]
  const doc = docComment([`Of records of the topic ${quoted(plan.topic)}.`])
  return [imports.join('\n'), '', definitions, ...(codec?.lines ?? []), ...doc, topicDefinition(plan, codec), ''].join(
    '\n',
  )
}

interface CodecSource {
  readonly lines: readonly string[]
  readonly expression: string
  readonly imports: readonly string[]
}

const MISSING = 'CODEC_OF_THIS_TOPIC_IS_MISSING'

/** The option `codec`; undefined: the default is right. */
function codecOf({ reading, isIdKey }: TopicPlan): CodecSource | undefined {
  const { codec } = reading
  if (reading.format === 'missing') return { lines: [], expression: MISSING, imports: [] }
  if (!isIdKey) return codec === undefined ? undefined : { lines: [], expression: codec, imports: [] }
  const lines = [
    `const values = ${codec ?? 'json'}`,
    ...docComment(['The value has nothing that tells it from others: its `id` is the key of its record.']),
    'const withKey: Codec = Object.assign(',
    '  (bytes: Buffer, record: EventRecord) => ({ ...(values(bytes, record) as object), id: record.key }),',
    '  values.prepare && { prepare: values.prepare },',
    ')',
    '',
  ]
  return { lines, expression: 'withKey', imports: ['type Codec', 'type EventRecord', ...(codec ? [] : ['json'])] }
}

function topicDefinition(plan: TopicPlan, codec: CodecSource | undefined): string {
  const { index, ordered, key, notes } = plan
  const names = (fields: TopicPlan['index']) => fitted('[', fields.map(({ source }) => quoted(source)), ']', '  ', false) // biome-ignore format: one line
  const options = [
    `  schema: ${plan.type.name},`,
    ...(codec ? [`  codec: ${codec.expression},`] : []),
    ...(key === undefined
      ? []
      : [...comment(['The keys of all records that were looked at.'], '  '), `  key: ${quoted(key)},`]),
    ...(index.length === 0
      ? []
      : [
          ...comment(
            ['Proposed by what repeats: what clients ask for by equality. Each is memory for each event.'],
            '  ',
          ),
          `  index: ${names(index)},`,
        ]),
    ...(ordered.length === 0
      ? []
      : [...comment(['Proposed by type: what clients ask for by ranges.'], '  '), `  ordered: ${names(ordered)},`]),
    ...(notes.length === 0 ? [] : comment(notes, '  ')),
  ]
  return `export const ${plan.constant} = defineTopic(${quoted(plan.topic)}, {\n${options.join('\n')}\n})`
}
