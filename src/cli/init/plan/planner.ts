import type { Field } from '../../../streams/topic/shape.ts'
import type { Reading } from '../sample/reading.ts'
import { camelCase, distinct, kebabCase, Names, pascalCase, singular } from './names.ts'
import type { FieldPlan, ObjectPlan, TopicPlan } from './plan.ts'
import { proposalsOf, type Seen } from './properties.ts'
import { RESERVED_CONSTANTS, RESERVED_FILES, RESERVED_TYPES } from './reserved.ts'
import { TypePlanner } from './types.ts'

/** What was found out about a topic. */
export interface TopicFindings {
  readonly topic: string
  /** Of the values as the codec gives them. */
  readonly value: Field
  readonly reading: Reading
  /** Events: records with a value. */
  readonly seen: readonly Seen[]
  readonly notes: readonly string[]
}

/** The plans of all topics of a project, whose names are different. */
export function planTopics(findings: readonly TopicFindings[]): TopicPlan[] {
  const topics = findings.map(({ topic }) => topic)
  const files = distinct(topics, (topic) => kebabCase(topic, 'topic'), RESERVED_FILES)
  const fields = distinct(topics, (topic) => camelCase(topic, 'topic'))
  const constants = distinct(topics, (topic) => camelCase(topic, 'topic'), RESERVED_CONSTANTS)
  const types = new Names(RESERVED_TYPES)
  return findings.map((each) => {
    const name = (names: ReadonlyMap<string, string>) => names.get(each.topic) as string
    const constant = name(constants)
    return planTopic(each, { file: name(files), field: name(fields), constant }, types)
  })
}

type OwnNames = Pick<TopicPlan, 'file' | 'field' | 'constant'>

function planTopic(findings: TopicFindings, names: OwnNames, types: Names): TopicPlan {
  const { topic, value, reading, seen } = findings
  const planner = new TypePlanner(types)
  const root = planner.root(value, pascalCase(singular(topic), 'Event').replace(/^_/, 'Topic'))
  const { index, ordered, key, isIdKey } = proposalsOf(root, seen)
  const type = isIdKey && root.kind === 'object' ? withId(root) : root
  return {
    topic,
    ...names,
    type,
    types: planner.types.map((each) => (each === root ? type : each)),
    named: planner.named,
    reading,
    index: type === root || type.kind !== 'object' ? index : [type.fields[0] as FieldPlan, ...index],
    ordered,
    key,
    isIdKey,
    notes: [...(value.doubt === undefined ? [] : [value.doubt]), ...findings.notes],
  }
}

/** The property `id` is the codec's: the record's key. */
function withId(root: ObjectPlan): ObjectPlan {
  const names = new Names(root.fields.map(({ name }) => name))
  const id: FieldPlan = {
    source: 'id',
    name: names.take('id'),
    shape: { kind: 'text' },
    isOptional: false,
    isNullable: false,
    doubt: 'The key of the record: all that were looked at have one.',
  }
  return { ...root, fields: [id, ...root.fields] }
}
