import { buildSchema, type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql'

/** Changes from a released schema to another one, a sentence each. */
export interface SchemaChanges {
  /** A client of the released schema fails, or is refused. */
  readonly breaking: readonly string[]
  /** A client goes on, but may meet what it does not know: a new value of an enum, or a new member of a union. */
  readonly dangerous: readonly string[]
  /** What was deprecated in the released schema, and is gone; and types to which no field leads any more. */
  readonly removed: readonly string[]
  readonly harmless: readonly string[]
}

/** An optional peer: only who compares schemas installs it. */
const INSPECTOR = '@graphql-inspector/core'

/**
 * Compares two schemas, as texts, by GraphQL Inspector. The removal of what was deprecated in the released one does not
 * count as breaking: its clients were warned.
 * @throws Error that says how to install GraphQL Inspector, or which schema is none.
 */
export async function compareSchemas(released: string, current: string): Promise<SchemaChanges> {
  const { diff, DiffRule } = await inspector()
  const [before, after] = [parsed(released, 'The released schema'), parsed(current, 'The schema')]
  const changes = await diff(before, after)
  const tolerated = await diff(before, after, [DiffRule.suppressRemovalOfDeprecatedField])
  const isBreaking = new Set(tolerated.filter(({ criticality }) => criticality.level === 'BREAKING').map(keyOf))
  const isWarned = (change: Removal) => !isBreaking.has(keyOf(change)) || isDeprecatedArgument(before, change)
  const of = (wanted: (level: string, change: Removal) => boolean) =>
    changes.filter((change) => wanted(change.criticality.level, change)).map(({ message }) => message)
  return {
    breaking: of((level, change) => level === 'BREAKING' && !isWarned(change)),
    removed: of((level, change) => level === 'BREAKING' && isWarned(change)),
    dangerous: of((level) => level === 'DANGEROUS'),
    harmless: of((level) => level === 'NON_BREAKING'),
  }
}

interface Removal {
  readonly type: string
  readonly path?: string | undefined
  readonly message: string
}

const keyOf = ({ type, path, message }: Removal) => `${type} ${path} ${message}`

/** GraphQL Inspector knows the deprecation of fields, input fields and enum values, not that of arguments. */
function isDeprecatedArgument(schema: GraphQLSchema, { type: kind, path = '' }: Removal): boolean {
  if (kind !== 'FIELD_ARGUMENT_REMOVED') return false
  const [typeName = '', fieldName = '', name] = path.split('.')
  const type = schema.getType(typeName)
  if (!isObjectType(type) && !isInterfaceType(type)) return false
  const argument = type.getFields()[fieldName]?.args.find((each) => each.name === name)
  return argument?.deprecationReason != null
}

/** What a comparison says, a line for each change that matters, and whether the schema may be released. */
export function verdictOf({ breaking, dangerous, removed, harmless }: SchemaChanges): {
  readonly ok: boolean
  readonly lines: readonly string[]
} {
  const lines = [
    ...breaking.map((message) => `Breaking: ${message}`),
    ...removed.map((message) => `Removed: ${message}`),
    ...dangerous.map((message) => `Dangerous: ${message}`),
  ]
  const counts = `${breaking.length} breaking, ${removed.length} removed, ${dangerous.length} dangerous`
  lines.push(`Changes since the released schema: ${counts}, ${harmless.length} others`)
  return { ok: breaking.length === 0, lines }
}

async function inspector(): Promise<typeof import('@graphql-inspector/core')> {
  try {
    return await import(INSPECTOR)
  } catch (error) {
    throw new Error(`Schemas are compared by ${INSPECTOR}: install it, by \`npm install --save-dev ${INSPECTOR}\``, {
      cause: error,
    })
  }
}

function parsed(text: string, what: string) {
  try {
    return buildSchema(text)
  } catch (error) {
    throw new Error(`${what} is none: ${(error as Error).message}`, { cause: error })
  }
}
