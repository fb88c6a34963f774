import { camelCase, Names } from '../plan/names.ts'
import type { FieldPlan, ObjectPlan, TopicPlan, TypePlan } from '../plan/plan.ts'
import { STREAM_ARGUMENTS } from '../plan/reserved.ts'
import { nullableExpression, outputOf, shownTypes, typeExpression } from './output.ts'
import { comment, fitted, MAX_LINE, mentioned, propertyName, quoted } from './text.ts'

/** `schema/NAME.ts`: the GraphQL types of a topic, and its stream field. */
export function schemaSource(plan: TopicPlan): string {
  return [
    `import * as records from '../topics/${plan.file}.ts'`,
    "import { builder } from './builder.ts'",
    '',
    ...shownTypes(plan).map((type) => typeSource(type, plan)),
    streamSource(plan),
  ].join('\n')
}

function typeSource(type: TypePlan, plan: TopicPlan): string {
  const { name } = type
  switch (type.kind) {
    case 'enum': {
      const isSame = [...type.members].every(([member, value]) => member === value)
      const members = [...type.members].map(([member, value]) => `${member}: { value: ${quoted(value)} }`)
      const values = isSame ? `records.${name}.options` : fitted('{', members, '}', '')
      return `const ${name} = builder.enumType('${name}', { values: ${values} })\n`
    }
    case 'union': {
      const kinds = type.of.map((each) => `${propertyName(each.discriminator?.value ?? '')}: '${each.name}'`)
      const by = /^[A-Za-z_$][\w$]*$/.test(type.by) ? `.${type.by}` : `[${quoted(type.by)}]`
      return `const ${name} = builder.unionType('${name}', {
  types: [${type.of.map((each) => each.name).join(', ')}],
  resolveType: (value) => (${fitted('{', kinds, '}', '  ')})[value${by}],
})\n`
    }
    case 'value':
      return `${objectStart(name, `{ value: records.${name}; key: string | null }`)}
  fields: (t) => ({
    key: t.exposeID('key', { nullable: true }),
    ${fieldSource({ ...type.value, source: 'value', name: 'value' }, plan)},
  }),
})\n`
    case 'object':
      return objectSource(type, plan)
  }
}

function objectSource(type: ObjectPlan, plan: TopicPlan): string {
  const { discriminator } = type
  const kind: FieldPlan[] = discriminator
    ? [{ ...discriminator, shape: { kind: 'text' }, isOptional: false, isNullable: false }]
    : []
  const lines = [...kind, ...type.fields].flatMap((field) => {
    const isRenamed = camelCase(field.source, '') !== field.name || !/^[A-Za-z]\w*$/.test(field.source)
    return [
      ...(isRenamed ? comment([`In the record: \`${mentioned(field.source)}\`.`], '    ') : []),
      `    ${fieldSource(field, plan)},`,
    ]
  })
  const { name } = type
  return `${objectStart(name, `records.${name}`)}
  fields: (t) => ({
${lines.join('\n')}
  }),
})\n`
}

/** `{` is left open. */
function objectStart(name: string, type: string): string {
  const one = `const ${name} = builder.objectRef<${type}>('${name}').implement({`
  return one.length <= MAX_LINE ? one : one.replace(' = ', ' =\n  ')
}

const SHORT: Readonly<Record<string, string>> = {
  String: 'exposeString',
  ID: 'exposeID',
  Int: 'exposeInt',
  Float: 'exposeFloat',
  Boolean: 'exposeBoolean',
}

/** `name: t.exposeString('name')`, or with `type`. */
function fieldSource(field: FieldPlan, plan: TopicPlan): string {
  const output = outputOf(field, field.source, plan.named)
  const nullable = nullableExpression(field, output)
  const short = !output.isList && 'scalar' in output.type ? SHORT[output.type.scalar] : undefined
  const options = [
    ...(short ? [] : [`type: ${typeExpression(output)}`]),
    ...(nullable === undefined ? [] : [`nullable: ${nullable}`]),
    ...(output.description === undefined ? [] : [`description: ${quoted(output.description)}`]),
  ]
  const given = options.length === 0 ? '' : `, { ${options.join(', ')} }`
  return `${field.name}: t.${short ?? 'expose'}(${quoted(field.source)}${given})`
}

const ARGUMENTS: Readonly<Record<string, string>> = {
  String: 't.arg.string()',
  ID: 't.arg.id()',
  Int: 't.arg.int()',
  Boolean: 't.arg.boolean()',
}

interface Argument {
  readonly name: string
  readonly source: string
  readonly expression: string
}

/** Arguments for what is indexed. Long numbers and decimals are selected by `where`. */
function argumentsOf(plan: TopicPlan): Argument[] {
  const names = new Names(STREAM_ARGUMENTS)
  return plan.index.flatMap((field) => {
    const output = outputOf(field, field.source, plan.named)
    const expression =
      'scalar' in output.type ? ARGUMENTS[output.type.scalar] : `t.arg({ type: ${output.type.plan.name} })`
    if (output.isList || expression === undefined) return []
    const name = STREAM_ARGUMENTS.includes(field.name) ? `${field.name}Value` : field.name
    return [{ name: names.take(name), source: field.source, expression }]
  })
}

function streamSource(plan: TopicPlan): string {
  const given = argumentsOf(plan)
  const wheres = given.map(({ name, source }) => {
    return `...(given.${name} != null && { ${propertyName(source)}: given.${name} })`
  })
  const options = [
    `    topic: records.${plan.constant},`,
    `    type: ${plan.type.name},`,
    `    description: ${quoted(`Records of the topic ${plan.topic}, as they arrive.`)},`,
    ...(given.length === 0
      ? []
      : [
          `    args: ${fitted('{', given.map(({ name, expression }) => `${name}: ${expression}`), '}', '    ')},`,
          `    ${fitted(`where: (given) => ({`, wheres, '}),', '    ')}`,
        ]), // biome-ignore format: a list
    ...(plan.type.kind === 'value' ? ['    resolve: (value, _args, _context, { key }) => ({ value, key }),'] : []),
  ]
  return `builder.subscriptionField('${plan.field}', (t) =>
  t.stream({
${options.join('\n')}
  }),
)
`
}
