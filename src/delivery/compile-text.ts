import {
  defaultFieldResolver,
  type FieldNode,
  type GraphQLField,
  GraphQLFloat,
  GraphQLID,
  GraphQLIncludeDirective,
  GraphQLInt,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLSkipDirective,
  GraphQLString,
  getArgumentValues,
  getDirectiveValues,
  isAbstractType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
  type ValidatedExecutionArgs,
} from 'graphql'

/**
 * Makes the JSON of an event's result at once, without the result: what the fields hold is written as text where it
 * stands. Undefined where that is not all there is to it: an error, a null where none may be, a promise, a resolver that looks
 * at its `info`. Then the event is for graphql-js.
 */
export type TextOperation = (rootValue: unknown, contextValue: unknown) => string | undefined

/**
 * Compiles an operation, with these values of its variables, to a function of JavaScript with a statement for each
 * field.
 * @returns undefined for one that selects of abstract types, or of types with `isTypeOf`.
 * @throws Error for one that is too long.
 */
export function compileText(args: ValidatedExecutionArgs): TextOperation | undefined {
  if (args.fieldResolver !== defaultFieldResolver) return undefined
  const root = args.schema.getRootType(args.operation.operation)
  if (!root) return undefined
  const writer = new Writer(args)
  try {
    writer.literal('{"data":')
    writer.object(root, [args.operation.selectionSet], 'root')
    writer.literal('}')
  } catch (error) {
    if (error instanceof NotText) return undefined
    throw error
  }
  return writer.compile()
}

/** What the operation asks for cannot be compiled. */
class NotText extends Error {}

/** An operation with more statements is not worth compiling: fragments within fragments multiply. */
const MAX_STATEMENTS = 10_000

/** Thrown where an event is not to be told without graphql-js. */
const REFUSED = Symbol('refused')

/** Writes the function. Every value that it needs from here is an argument of the function that makes it. */
class Writer {
  readonly #args: ValidatedExecutionArgs
  readonly #constants = new Map<unknown, string>()
  readonly #lines: string[] = []
  /** Text that is the same in every result, up to the next that is not. */
  #literal = ''
  #variables = 0

  constructor(args: ValidatedExecutionArgs) {
    this.#args = args
  }

  compile(): TextOperation {
    this.#flush()
    const body = [
      '"use strict"',
      'return (root, context) => {',
      'let text = ""',
      'try {',
      ...this.#lines,
      '} catch { return undefined }',
      'return text',
      '}',
    ].join('\n')
    const shared = { quote, leaf, json, refuse, isObject, INFO }
    const make = new Function(...Object.keys(shared), ...this.#constants.values(), body)
    return make(...Object.values(shared), ...this.#constants.keys())
  }

  literal(text: string): void {
    this.#literal += text
  }

  /** `source` is the variable that holds the value of the type. */
  object(type: GraphQLObjectType, sets: readonly SelectionSetNode[], source: string): void {
    this.literal('{')
    let separator = ''
    for (const [name, nodes] of this.#fieldsOf(type, sets)) {
      this.literal(`${separator}"${name}":`)
      separator = ','
      this.#field(type, nodes, source)
    }
    this.literal('}')
  }

  #field(parent: GraphQLObjectType, nodes: readonly FieldNode[], source: string): void {
    const [node] = nodes as [FieldNode]
    if (node.name.value === '__typename') {
      this.literal(JSON.stringify(parent.name))
      return
    }
    const field = parent.getFields()[node.name.value]
    if (!field) throw new NotText()
    const value = this.#variable()
    this.#line(`const ${value} = ${this.#valueOf(field, node, source)}`)
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? [])
    this.#value(field.type, sets, value)
  }

  /** The expression of what a field's resolver gives. */
  #valueOf(field: GraphQLField<unknown, unknown>, node: FieldNode, source: string): string {
    const { resolve } = field
    // The default resolver would also call a function; that is refused with the value.
    if (!resolve || resolve === defaultFieldResolver) return `${source}.${field.name}`
    const given = Object.entries(getArgumentValues(field, node, this.#args.variableValues))
    const args = given.map(([name, value]) => `${name}: ${this.#constant(value)}`)
    return `${this.#constant(resolve)}(${source}, { ${args.join(', ')} }, context, INFO)`
  }

  #value(type: GraphQLOutputType, sets: readonly SelectionSetNode[], value: string): void {
    const missing = `${value} === undefined || ${value} === null`
    if (isNonNullType(type)) {
      this.#line(`if (${missing}) return undefined`)
      this.#present(type.ofType, sets, value)
      return
    }
    this.#flush()
    this.#line(`if (${missing}) text += "null"; else {`)
    this.#present(type, sets, value)
    this.#flush()
    this.#line('}')
  }

  #present(type: GraphQLOutputType, sets: readonly SelectionSetNode[], value: string): void {
    if (isListType(type)) {
      const index = this.#variable()
      this.#line(`if (!Array.isArray(${value})) refuse(${value})`)
      this.literal('[')
      this.#flush()
      this.#line(`for (let ${index} = 0; ${index} < ${value}.length; ${index}++) {`)
      this.#line(`if (${index} > 0) text += ","`)
      const item = this.#variable()
      this.#line(`const ${item} = ${value}[${index}]`)
      this.#value(type.ofType, sets, item)
      this.#flush()
      this.#line('}')
      this.literal(']')
    } else if (isLeafType(type)) {
      this.#text(this.#leafOf(type, value))
    } else if (isObjectType(type) && !type.isTypeOf) {
      this.#line(`if (!isObject(${value})) refuse(${value})`)
      this.object(type, sets, value)
    } else {
      throw new NotText()
    }
  }

  /** The expression of a leaf's JSON. What is nearly always there is looked at first. */
  #leafOf(type: GraphQLLeafType, value: string): string {
    const other = `leaf(${this.#constant(type)}, ${value})`
    if (type === GraphQLString || type === GraphQLID) return `typeof ${value} === "string" ? quote(${value}) : ${other}`
    if (type === GraphQLInt) return `(${value} | 0) === ${value} ? ${value} : ${other}`
    if (type === GraphQLFloat) return `typeof ${value} === "number" && Number.isFinite(${value}) ? ${value} : ${other}`
    // A scalar of our own mostly makes text of text.
    if (!isEnumType(type))
      return `typeof ${value} === "string" ? json(${this.#constant(type)}.coerceOutputValue(${value})) : ${other}`
    const names = new Map(type.getValues().map((each) => [each.value, JSON.stringify(each.name)]))
    return `${this.#constant(names)}.get(${value}) ?? ${other}`
  }

  /** Fields by the name they have in the result, in the order of the result: GraphQL's `CollectFields`. */
  #fieldsOf(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): Map<string, FieldNode[]> {
    const fields = new Map<string, FieldNode[]>()
    const visited = new Set<string>()
    const collect = ({ selections }: SelectionSetNode): void => {
      for (const node of selections) {
        if (!this.#isIncluded(node)) continue
        if (node.kind === 'Field') {
          const name = (node.alias ?? node.name).value
          fields.set(name, [...(fields.get(name) ?? []), node])
        } else if (node.kind === 'InlineFragment') {
          if (this.#applies(node.typeCondition?.name.value, type)) collect(node.selectionSet)
        } else {
          const name = node.name.value
          const fragment = this.#args.fragmentDefinitions[name]
          if (visited.has(name) || !fragment) continue
          visited.add(name)
          if (this.#applies(fragment.typeCondition.name.value, type)) collect(fragment.selectionSet)
        }
      }
    }
    for (const set of sets) collect(set)
    return fields
  }

  #isIncluded(node: SelectionSetNode['selections'][number]): boolean {
    const { variableValues } = this.#args
    for (const { name } of node.directives ?? []) {
      if (name.value === GraphQLSkipDirective.name) {
        if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.if === true) return false
      } else if (name.value === GraphQLIncludeDirective.name) {
        if (getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.if === false) return false
      } else throw new NotText()
    }
    return true
  }

  #applies(condition: string | undefined, type: GraphQLObjectType): boolean {
    if (condition === undefined || condition === type.name) return true
    const { schema } = this.#args
    const named = schema.getType(condition)
    return isAbstractType(named) && schema.isSubType(named, type)
  }

  #constant(value: unknown): string {
    const known = this.#constants.get(value)
    if (known !== undefined) return known
    const name = `c${this.#constants.size}`
    this.#constants.set(value, name)
    return name
  }

  #variable(): string {
    return `v${this.#variables++}`
  }

  #text(expression: string): void {
    const literal = this.#takeLiteral()
    this.#line(literal === '' ? `text += ${expression}` : `text += ${JSON.stringify(literal)} + (${expression})`)
  }

  #line(line: string): void {
    if (this.#lines.length === MAX_STATEMENTS) throw new Error(`It has more than ${MAX_STATEMENTS} statements`)
    this.#lines.push(line)
  }

  /** Before a branch: what comes before it is written in any case. */
  #flush(): void {
    const literal = this.#takeLiteral()
    if (literal !== '') this.#line(`text += ${JSON.stringify(literal)}`)
  }

  #takeLiteral(): string {
    const literal = this.#literal
    this.#literal = ''
    return literal
  }
}

/** What JSON has to escape, and halves of pairs, which it escapes where they are alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPED = /[\0-\x1f"\\\ud800-\udfff]/

/** As JSON.stringify, of which most strings need nothing but the quotes. */
function quote(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** The JSON of any leaf, by its type. */
function leaf(type: GraphQLLeafType, value: unknown): string {
  if (value instanceof Error || typeof value === 'function' || isPromise(value)) refuse(value)
  return json(type.coerceOutputValue(value))
}

function json(coerced: unknown): string {
  if (typeof coerced === 'string') return quote(coerced)
  const text = JSON.stringify(coerced)
  if (text === undefined || text === 'null') throw REFUSED
  return text
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && !(value instanceof Error) && !isPromise(value)
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null)?.then === 'function'
}

/** Nobody else is going to look at a promise that was made in vain. */
function refuse(value: unknown): never {
  if (isPromise(value)) value.then(undefined, () => {})
  throw REFUSED
}

/** What a resolver is told of its place is not made for every event: who looks at it is resolved by graphql-js. */
const INFO: object = new Proxy(
  {},
  {
    get() {
      throw REFUSED
    },
  },
)
