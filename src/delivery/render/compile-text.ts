import {
  defaultFieldResolver,
  defaultTypeResolver,
  type ExecutionResult,
  type FieldNode,
  type GraphQLField,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLString,
  getNamedType,
  isAbstractType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
  type ValidatedSubscriptionArgs,
} from 'graphql'
import { visibleParameters } from '../../schema/resolver-parameters.ts'
import { collectFields, NotText } from './collect-fields.ts'
import { type ArgumentsCode, argumentsCode, argumentsOf } from './compile-arguments.ts'
import { InfoCode, type PathCode } from './compile-info.ts'
import { AsyncHelpers, goOn, Items, NONE, Stopped } from './compiled-run.ts'
import { variablesOf } from './execute-event.ts'
import { custom, isObject, isOfType, isPlainArray, leaf, quote, refuse, typeOf } from './text-values.ts'

/**
 * Writes the JSON of an event's result directly, without a result object. Where it cannot (an error, null in a non-null
 * field, a promise), graphql-js continues and returns a result. Resolvers cannot distinguish the two: they are called
 * in the same order.
 */
export interface TextOperation {
  execute(args: ValidatedSubscriptionArgs, rootValue: unknown): string | ExecutionResult | Promise<ExecutionResult>
  /** Its resolvers do not read the document, so that it serves every operation with the same key. */
  readonly isShareable: boolean
}

/**
 * Compiles an operation, with its variable values, to a JavaScript function with a statement for each field.
 * @returns undefined for one that only graphql-js can execute.
 * @throws Error for one that is too long.
 */
export function compileText(args: ValidatedSubscriptionArgs): TextOperation | undefined {
  if (args.fieldResolver !== defaultFieldResolver || args.typeResolver !== defaultTypeResolver) return undefined
  const root = args.schema.getRootType(args.operation.operation)
  if (!root) return undefined
  const writer = new Writer(args)
  try {
    writer.literal('{"data":')
    writer.object(root, [args.operation.selectionSet], 'root', undefined)
    writer.literal('}')
  } catch (error) {
    if (error instanceof NotText) return undefined
    throw error
  }
  return operationOf(writer.compile(), writer.seesDocument)
}

type Text = (root: unknown, context: unknown, variables: unknown) => string | Stopped

function operationOf(text: Text, seesDocument: boolean): TextOperation {
  return {
    isShareable: !seesDocument,
    execute(args, rootValue) {
      const variableValues = seesDocument ? variablesOf(args) : args.variableValues
      const told = text(rootValue, args.contextValue, variableValues)
      return typeof told === 'string' ? told : goOn({ ...args, rootValue, variableValues }, told)
    },
  }
}

/** Limit of statements: nested fragments multiply them. */
const MAX_STATEMENTS = 10_000

/** Context in which the values of a field's type are written. */
interface Place {
  readonly sets: readonly SelectionSetNode[]
  readonly path: PathCode
  /** The variable with the resolvers' `info`, if the type reads it. */
  readonly info: string
}

/** Writes the function. The values that it references are arguments of its factory. */
class Writer {
  readonly #args: ValidatedSubscriptionArgs
  readonly #constants = new Map<unknown, string>()
  readonly #lines: string[] = []
  readonly #infos: InfoCode
  /** Constant text of the result, up to the next expression. */
  #literal = ''
  #variables = 0
  /** Variables of the fields' values, in the order of execution. */
  readonly #given = new Set<string>()
  /** The one of them that holds the values of all fields of the current list, and of nested lists. */
  #items: string | undefined
  /** A resolver may read nodes or variables of the document. */
  seesDocument = false

  constructor(args: ValidatedSubscriptionArgs) {
    this.#args = args
    this.#infos = new InfoCode(args, this.#lines, (value) => this.#constant(value))
  }

  compile(): Text {
    this.#flush()
    const given = [...this.#given]
    const { isUsed } = this.#infos
    const body = [
      '"use strict"',
      'return (root, context, variables) => {',
      ...(isUsed ? ['const helpers = new AsyncHelpers()'] : []),
      ...(given.length > 0 ? [`let ${given.map((name) => `${name} = NONE`).join(', ')}`] : []),
      'let text = ""',
      'try {',
      'if (!isObject(root)) refuse()',
      ...this.#lines,
      '} catch (error) {',
      `return new Stopped(error, [${given.join(', ')}], ${isUsed ? 'helpers' : 'undefined'})`,
      '}',
      ...(isUsed ? ['helpers.end()'] : []),
      'return text',
      '}',
    ].join('\n')
    const values = { quote, leaf, custom, typeOf, isOfType, isObject, isPlainArray, refuse, argumentsOf }
    const shared = { ...values, NONE, AsyncHelpers, Items, Stopped }
    const make = new Function(...Object.keys(shared), ...this.#constants.values(), body)
    return make(...Object.values(shared), ...this.#constants.keys())
  }

  literal(text: string): void {
    this.#literal += text
  }

  /** `source` is the variable of the object's value. */
  object(type: GraphQLObjectType, sets: readonly SelectionSetNode[], source: string, path: PathCode | undefined): void {
    this.literal('{')
    let separator = ''
    for (const [name, nodes] of collectFields(this.#args, type, sets)) {
      this.literal(`${separator}"${name}":`)
      separator = ','
      this.#field(type, nodes, source, this.#infos.path(path, JSON.stringify(name), type.name))
    }
    this.literal('}')
  }

  #field(parent: GraphQLObjectType, nodes: readonly FieldNode[], source: string, path: PathCode): void {
    const [node] = nodes as [FieldNode]
    if (node.name.value === '__typename') {
      this.literal(JSON.stringify(parent.name))
      return
    }
    const field = parent.getFields()[node.name.value]
    if (!field) throw new NotText()
    const resolve = field.resolve === defaultFieldResolver ? undefined : field.resolve
    const visible = resolve ? visibleParameters(resolve) : 0
    const named = getNamedType(field.type)
    const isTyped = isAbstractType(named) || (isObjectType(named) && named.isTypeOf)
    let info = ''
    if (isTyped || visible > 3) {
      this.seesDocument = true
      info = this.#infos.info(field, nodes, parent, path)
    }
    const value = this.#variable()
    // The default resolver would also call a function. Such a value is refused.
    const call = resolve && [source, this.#argumentsCode(field, node, visible), 'context', info].slice(0, visible)
    this.#keep(value, call ? `${this.#constant(resolve)}(${call.join(', ')})` : `${source}.${field.name}`)
    this.#value(field.type, value, { sets: nodes.flatMap(({ selectionSet }) => selectionSet ?? []), path, info })
  }

  /** Stores the value of a field, so that graphql-js can continue from it. */
  #keep(value: string, given: string): void {
    if (this.#items === undefined) {
      this.#given.add(value)
      this.#line(`${value} = ${given}`)
    } else {
      this.#line(`const ${value} = ${given}`)
      this.#line(`${this.#items}.values.push(${value})`)
    }
  }

  #argumentsCode(field: GraphQLField<unknown, unknown>, node: FieldNode, visible: number): string {
    if (visible < 2) return ''
    const { code, seesDocument }: ArgumentsCode = argumentsCode(this.#args, field, node, (value) =>
      this.#constant(value),
    )
    if (seesDocument) this.seesDocument = true
    return code
  }

  #value(type: GraphQLOutputType, value: string, place: Place): void {
    const missing = `${value} === undefined || ${value} === null`
    if (isNonNullType(type)) {
      this.#line(`if (${missing}) refuse()`)
      this.#present(type.ofType, value, place)
      return
    }
    this.#flush()
    this.#line(`if (${missing}) text += "null"; else {`)
    this.#present(type, value, place)
    this.#flush()
    this.#line('}')
  }

  #present(type: GraphQLOutputType, value: string, place: Place): void {
    if (isListType(type)) this.#list(type.ofType, value, place)
    else if (isLeafType(type)) this.#text(this.#leafOf(type, value))
    else if (isAbstractType(type)) {
      const name = this.#variable()
      this.#line(`const ${name} = typeOf(${this.#constant(type)}, ${value}, context, ${place.info})`)
      this.#flush()
      for (const possible of this.#args.schema.getPossibleTypes(type)) {
        this.#line(`if (${name} === ${JSON.stringify(possible.name)}) {`)
        this.#object(possible, value, place)
        this.#flush()
        this.#line('} else')
      }
      this.#line('refuse()')
    } else if (isObjectType(type)) this.#object(type, value, place)
  }

  #object(type: GraphQLObjectType, value: string, { sets, path, info }: Place): void {
    this.#line(`if (!isObject(${value})) refuse()`)
    if (type.isTypeOf) this.#line(`if (!isOfType(${this.#constant(type)}, ${value}, context, ${info})) refuse()`)
    this.object(type, sets, value, path)
  }

  #list(type: GraphQLOutputType, value: string, place: Place): void {
    const index = this.#variable()
    const item = this.#variable()
    this.#line(`if (!isPlainArray(${value})) refuse()`)
    const isOutermost = this.#items === undefined && !isLeafType(getNamedType(type))
    if (isOutermost) {
      this.#items = this.#variable()
      this.#given.add(this.#items)
      this.#line(`${this.#items} = new Items()`)
    }
    this.literal('[')
    this.#flush()
    this.#line(`for (let ${index} = 0; ${index} < ${value}.length; ${index}++) {`)
    this.#line(`if (${index} > 0) text += ","`)
    this.#line(`const ${item} = ${value}[${index}]`)
    this.#value(type, item, { ...place, path: this.#infos.path(place.path, index, undefined) })
    this.#flush()
    this.#line('}')
    if (isOutermost) this.#items = undefined
    this.literal(']')
  }

  /** The expression of a leaf's JSON. The most frequent case is tested first. */
  #leafOf(type: GraphQLLeafType, value: string): string {
    const other = `leaf(${this.#constant(type)}, ${value})`
    if (type === GraphQLString || type === GraphQLID) return `typeof ${value} === "string" ? quote(${value}) : ${other}`
    if (type === GraphQLInt) return `(${value} | 0) === ${value} ? ${value} : ${other}`
    if (type === GraphQLFloat) return `typeof ${value} === "number" && Number.isFinite(${value}) ? ${value} : ${other}`
    // Custom scalars mostly serialize strings as they are.
    if (!isEnumType(type)) return `typeof ${value} === "string" ? custom(${this.#constant(type)}, ${value}) : ${other}`
    const names = new Map(type.getValues().map((each) => [each.value, JSON.stringify(each.name)]))
    return `${this.#constant(names)}.get(${value}) ?? ${other}`
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
    if (this.#lines.length >= MAX_STATEMENTS) throw new Error(`It has more than ${MAX_STATEMENTS} statements`)
    this.#lines.push(line)
  }

  /** Before a branch: constant text up to here is written in any case. */
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
