/** Folders of built pages. In the package they lie beside the modules; in this repository, where the build leaves them. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PACKAGED = new URL('./assets/', import.meta.url)
const isPackaged = existsSync(PACKAGED)

export const GRAPHIQL_FOLDER = fileURLToPath(
  isPackaged ? new URL('graphiql/', PACKAGED) : new URL('../packages/graphiql/dist/', import.meta.url),
)
