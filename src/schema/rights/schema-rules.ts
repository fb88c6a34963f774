import { type GraphQLNamedType, type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql'
import { asksAuthenticated, type ScopeRule, scopesIn } from './scope-rule.ts'

/** The options of a definition that are about scopes, as Pothos keeps them. */
export interface ScopeOptions {
  readonly authScopes?: ScopeRule | null | undefined
  readonly skipTypeScopes?: boolean | undefined
  readonly skipInterfaceScopes?: boolean | undefined
}

/** A definition and those around it. */
export interface ScopedField {
  readonly field: ScopeOptions | undefined
  readonly type: ScopeOptions | undefined
  readonly interfaces: readonly (ScopeOptions | undefined)[]
}

const NO_RULES: readonly ScopeRule[] = []

/** The rules of a field: its own, and those of its type and of the interfaces of that. */
export function rulesOf({ field, type, interfaces }: ScopedField): readonly ScopeRule[] {
  const skipsInterfaces = field?.skipInterfaceScopes === true || type?.skipInterfaceScopes === true
  const all = [
    field?.skipTypeScopes ? undefined : type?.authScopes,
    ...(skipsInterfaces ? [] : interfaces.map((each) => each?.authScopes)),
    field?.authScopes,
  ]
  const rules = all.filter((rule) => rule !== undefined && rule !== null)
  return rules.length === 0 ? NO_RULES : rules
}

/** Those of a field of a built schema. */
export function rulesOfField(type: GraphQLNamedType, fieldName: string): readonly ScopeRule[] {
  if (!isObjectType(type) && !isInterfaceType(type)) return NO_RULES
  const interfaces = type.getInterfaces().map(optionsOf)
  return rulesOf({ field: optionsOf(type.getFields()[fieldName]), type: optionsOf(type), interfaces })
}

/** Those of a type: of whoever selects anything of it. */
export function rulesOfType(type: GraphQLNamedType): readonly ScopeRule[] {
  const interfaces = isObjectType(type) || isInterfaceType(type) ? type.getInterfaces().map(optionsOf) : []
  return rulesOf({ field: undefined, type: optionsOf(type), interfaces })
}

function optionsOf(definition: { readonly extensions: object } | undefined): ScopeOptions | undefined {
  return (definition?.extensions as { readonly pothosOptions?: ScopeOptions } | undefined)?.pothosOptions
}

/** The extension of a field of an input type: who uses it in a filter needs what the field of the output type asks for. */
export const RULES_EXTENSION = 'sluiceScopes'

export function rulesOfInput({ extensions }: { readonly extensions: object }): readonly ScopeRule[] {
  return (extensions as { readonly [RULES_EXTENSION]?: readonly ScopeRule[] })[RULES_EXTENSION] ?? NO_RULES
}

/** The rules of a built schema. */
export class SchemaRules {
  /** Every scope that a rule names. */
  readonly scopes: ReadonlySet<string>
  /** Whether a rule asks for any credentials. */
  readonly asksAuthenticated: boolean
  readonly #schema: GraphQLSchema
  readonly #ofFields = new Map<string, readonly ScopeRule[]>()

  constructor(schema: GraphQLSchema) {
    this.#schema = schema
    const all: ScopeRule[] = []
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) && !isInterfaceType(type)) continue
      all.push(...rulesOfType(type))
      for (const name of Object.keys(type.getFields())) {
        const rules = this.#rulesIn(type, name)
        all.push(...rules)
        if (rules.length > 0) this.#ofFields.set(`${type.name}.${name}`, rules)
      }
    }
    this.scopes = new Set(all.flatMap(scopesIn))
    this.asksAuthenticated = all.some(asksAuthenticated)
  }

  /**
   * What the selection of a field asks for. Of an interface's field it is also what the fields of its types ask for by
   * themselves: the object may be of any of these.
   */
  ofField(typeName: string, fieldName: string): readonly ScopeRule[] {
    return this.#ofFields.get(`${typeName}.${fieldName}`) ?? NO_RULES
  }

  #rulesIn(type: GraphQLNamedType, name: string): readonly ScopeRule[] {
    const own = rulesOfField(type, name)
    if (!isInterfaceType(type)) return own
    const types = this.#schema.getPossibleTypes(type)
    const theirs = types.map((each) => optionsOf(each.getFields()[name])?.authScopes)
    return [...new Set([...own, ...theirs.filter((rule) => rule !== undefined && rule !== null)])]
  }
}
