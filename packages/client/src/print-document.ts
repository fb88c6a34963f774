/** A parsed GraphQL document, of any parser: the part of its nodes that is printed. */
export interface DocumentNode {
  readonly kind: string
  readonly [field: string]: unknown
}

/**
 * The text of a parsed executable document. It is made of the nodes and never taken from `loc`: GraphQL clients change
 * documents (`__typename`), and generated ones have no `loc`.
 * @throws TypeError for a node that is not of an executable document
 */
export function printDocument(document: DocumentNode): string {
  return print(document)
}

function print(node: unknown): string {
  if (!node) return ''
  const of = node as DocumentNode
  const named = (prefix: string) => prefix + print(of.name)
  switch (of.kind) {
    case 'Document':
      return all(of.definitions, ' ')
    case 'Name':
    case 'IntValue':
    case 'FloatValue':
    case 'EnumValue':
    case 'BooleanValue':
      return String(of.value)
    case 'StringValue':
      return JSON.stringify(of.value) // its escapes are those of GraphQL
    case 'NullValue':
      return 'null'
    case 'Variable':
      return named('$')
    case 'ListValue':
      return `[${all(of.values)}]`
    case 'ObjectValue':
      return `{${all(of.fields)}}`
    case 'Argument':
    case 'ObjectField':
      return `${named('')}:${print(of.value)}`
    case 'NamedType':
      return named('')
    case 'ListType':
      return `[${print(of.type)}]`
    case 'NonNullType':
      return `${print(of.type)}!`
    case 'VariableDefinition':
      return `${print(of.variable)}:${print(of.type)}${after('=', of.defaultValue)}${all(of.directives)}`
    case 'OperationDefinition':
      return `${of.operation} ${named('')}${inParentheses(of.variableDefinitions)}${rest(of)}`
    case 'FragmentDefinition':
      return `${named('fragment ')}${inParentheses(of.variableDefinitions)}${on(of)}${rest(of)}`
    case 'SelectionSet':
      return `{${all(of.selections)}}`
    case 'Field':
      return `${of.alias ? `${print(of.alias)}:` : ''}${named('')}${inParentheses(of.arguments)}${rest(of)}`
    case 'FragmentSpread':
      return named('...') + all(of.directives)
    case 'InlineFragment':
      return `...${on(of)}${rest(of)}`
    case 'Directive':
      return named('@') + inParentheses(of.arguments)
    default:
      throw new TypeError(`A document has a node of the kind ${of.kind}, which no operation has`)
  }
}

function rest(node: DocumentNode): string {
  return all(node.directives) + print(node.selectionSet)
}

function on({ typeCondition }: DocumentNode): string {
  return after(' on ', typeCondition)
}

function after(prefix: string, node: unknown): string {
  return node ? prefix + print(node) : ''
}

function inParentheses(nodes: unknown): string {
  return (nodes as unknown[] | undefined)?.length ? `(${all(nodes)})` : ''
}

function all(nodes: unknown, separator = ' '): string {
  return ((nodes ?? []) as unknown[]).map(print).join(separator)
}
