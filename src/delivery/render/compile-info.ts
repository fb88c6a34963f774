import type { FieldNode, GraphQLField, GraphQLObjectType, ValidatedExecutionArgs } from 'graphql'

/** A response path as a variable of the code. It is declared only if a resolver may read it. */
export interface PathCode {
  readonly name: string
  readonly code: string
  readonly previous: PathCode | undefined
  /** The line that is reserved for it. */
  readonly line: number
  isUsed: boolean
}

/** Writes the `info` of resolvers: equal to that of graphql-js, created for each call. */
export class InfoCode {
  readonly #args: ValidatedExecutionArgs
  readonly #lines: string[]
  readonly #constant: (value: unknown) => string
  #count = 0
  isUsed = false

  constructor(args: ValidatedExecutionArgs, lines: string[], constant: (value: unknown) => string) {
    this.#args = args
    this.#lines = lines
    this.#constant = constant
  }

  /** @param key an expression: a name in quotes, or the variable of an index. */
  path(previous: PathCode | undefined, key: string, typename: string | undefined): PathCode {
    const name = `p${this.#count++}`
    const type = typename === undefined ? 'undefined' : JSON.stringify(typename)
    const code = `const ${name} = helpers.keep({ prev: ${previous?.name ?? 'undefined'}, key: ${key}, typename: ${type} })`
    return { name, code, previous, line: this.#lines.push('') - 1, isUsed: false }
  }

  /** @returns the variable. */
  info(
    field: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    parent: GraphQLObjectType,
    path: PathCode,
  ): string {
    const { schema, fragmentDefinitions, operation } = this.#args
    this.isUsed = true
    for (let each: PathCode | undefined = path; each && !each.isUsed; each = each.previous) {
      each.isUsed = true
      this.#lines[each.line] = each.code
    }
    const name = `i${this.#count++}`
    const entries = [
      `fieldName: ${JSON.stringify(field.name)}`,
      `fieldNodes: ${this.#constant(nodes)}.slice()`,
      `returnType: ${this.#constant(field.type)}`,
      `parentType: ${this.#constant(parent)}`,
      `path: ${path.name}`,
      `schema: ${this.#constant(schema)}`,
      `fragments: ${this.#constant(fragmentDefinitions)}`,
      'rootValue: root',
      `operation: ${this.#constant(operation)}`,
      'variableValues: variables',
      'getAbortSignal: helpers.getAbortSignal',
      'getAsyncHelpers: helpers.getAsyncHelpers',
    ]
    this.#lines.push(`const ${name} = { ${entries.join(', ')} }`)
    return name
  }
}
