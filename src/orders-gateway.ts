/** The orders gateway: the first user of the library, and what `npm start` runs. */
import { fileURLToPath } from 'node:url'
import { defineGateway } from 'sluice'
import { demoFeed } from './demo/demo-feed.ts'
import { GRAPHIQL_TABS } from './resolvers/graphiql-tabs.ts'
import { schema } from './resolvers/schema.ts'

/** Built by `npm run build`. */
const LIVE_MAP_FOLDER = fileURLToPath(new URL('../web/dist/', import.meta.url))

export const ordersGateway = defineGateway({
  schema,
  pages: LIVE_MAP_FOLDER,
  graphiqlTabs: GRAPHIQL_TABS,
  demoFeed,
  firstRunScopes: ['orders:write'],
})
