import { parse, print, separateOperations } from 'graphql'

/** As the gateway gives them. */
export interface Tab {
  readonly query: string
  readonly variables?: string
}

/** The tab that a link asks for: `?query=…&variables=…&operationName=…`. */
export function tabOf(search: string): Tab | undefined {
  const parameters = new URLSearchParams(search)
  const query = parameters.get('query')
  if (!query) return undefined
  const variables = parameters.get('variables')
  const name = parameters.get('operationName')
  return { query: name ? operationNamed(query, name) : query, ...(variables && { variables: readable(variables) }) }
}

/** Of several operations only the one that is meant, so that the button runs it without asking which. */
function operationNamed(query: string, name: string): string {
  try {
    const operations = separateOperations(parse(query))
    const chosen = operations[name]
    return chosen && Object.keys(operations).length > 1 ? print(chosen) : query
  } catch {
    return query // the editor marks what is wrong
  }
}

function readable(variables: string): string {
  try {
    return JSON.stringify(JSON.parse(variables), null, 2)
  } catch {
    return variables
  }
}
