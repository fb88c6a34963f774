import { GraphiQL } from 'graphiql'
import { getOperationAST, parse } from 'graphql'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'
import { createFetcher } from './fetcher.ts'
import { type Tab, tabOf } from './tabs.ts'
import 'graphiql/style.css'
import './style.css'

const root = document.getElementById('graphiql') as HTMLElement
const run = createFetcher(new URL('/graphql', location.href).href)
const linked = tabOf(location.search)
const own: readonly Tab[] = await fetch('/graphiql/tabs.json').then((response) => (response.ok ? response.json() : []))

root.removeAttribute('aria-busy')
createRoot(root).render(
  createElement(
    GraphiQL,
    {
      fetcher: (request, { headers, documentAST } = {}) => {
        const document = documentAST ?? parse(request.query)
        const isSubscription = getOperationAST(document, request.operationName)?.operation === 'subscription'
        return run(request, isSubscription, headers) as never
      },
      // A link's tab comes first where there are no others yet, and is added to those that there are.
      ...(linked && { query: linked.query, variables: linked.variables ?? '' }),
      defaultTabs: [...(linked ? [linked] : []), ...own].map((tab) => ({ ...tab })),
      defaultEditorToolsVisibility: 'variables',
      shouldPersistHeaders: false,
    },
    createElement(GraphiQL.Logo, null, 'Sluice'),
  ),
)
