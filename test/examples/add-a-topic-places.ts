import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const EXAMPLE = 'examples/add-a-topic'

/** What docs/add-a-topic.md says: which file of the example goes where in the project. */
export const PLACES = {
  'payments.ts': 'src/streams/topics/payments.ts',
  'payments-by-merchant.ts': 'src/resolvers/payments-by-merchant.ts',
} as const

/** A file of the example, with its imports as they read at its place. */
export function textAtItsPlace(file: keyof typeof PLACES): string {
  const text = readFileSync(join(EXAMPLE, file), 'utf8')
  return text.replaceAll(/from '(\..+?)'/g, (_, path: string) => `from '${moved(path, PLACES[file])}'`)
}

function moved(path: string, place: string): string {
  const target = path.startsWith('./') ? PLACES[path.slice(2) as keyof typeof PLACES] : join(EXAMPLE, path)
  const from = relative(dirname(place), target)
  return from.startsWith('.') ? from : `./${from}`
}
