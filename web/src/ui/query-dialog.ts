import { LiveSalesDocument } from '../gql/graphql.ts'
import { textOf } from '../stream/orders.ts'
import { byId, copy } from './page.ts'

export interface ShownQuery {
  readonly name: string
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
}

const ABOUT: Readonly<Record<string, string>> = {
  orders: 'The map and the list are this subscription. Its types are generated from the schema.',
  sales: 'The panels are this subscription to a table: all rows at first, and then each change.',
}

/** The query behind a panel, as the page sends it. */
export class QueryDialog {
  readonly #dialog = byId<HTMLDialogElement>('query-dialog')
  #shown = ''

  constructor(ordersOperation: () => ShownQuery) {
    for (const button of document.querySelectorAll<HTMLElement>('[data-query]')) {
      const kind = button.dataset.query ?? ''
      button.addEventListener('click', () => this.#open(kind, kind === 'sales' ? SALES : ordersOperation()))
    }
    // What is longer than the dialog is scrolled, by the keyboard too.
    for (const text of this.#dialog.querySelectorAll('pre')) text.tabIndex = 0
    const copyButton = byId<HTMLButtonElement>('query-copy')
    copyButton.addEventListener('click', () => void copy(this.#shown, copyButton))
  }

  #open(kind: string, { name, query, variables }: ShownQuery): void {
    const hasVariables = Object.keys(variables).length > 0
    this.#shown = query
    byId('query-title').textContent = name
    byId('query-about').textContent = ABOUT[kind] ?? ''
    byId('query-text').textContent = query
    byId('query-variables').textContent = JSON.stringify(variables, null, 2)
    const shown = byId('query-variables').parentElement
    if (shown) shown.hidden = !hasVariables
    byId<HTMLAnchorElement>('query-open').href = graphiqlUrl({ name, query, variables })
    this.#dialog.showModal()
  }
}

const SALES: ShownQuery = { name: 'LiveSales', query: textOf(LiveSalesDocument), variables: {} }

/** GraphiQL, with this query in a tab. */
function graphiqlUrl({ name, query, variables }: ShownQuery): string {
  const hasVariables = Object.keys(variables).length > 0
  const search = new URLSearchParams({
    query,
    ...(hasVariables && { variables: JSON.stringify(variables, null, 2) }),
    operationName: name,
  })
  return `/graphql?${search}`
}
