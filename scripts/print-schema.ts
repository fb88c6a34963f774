/**
 * Prints the schema into schema.graphql. With --check it writes nothing, and fails if the file is not what the code
 * says. With --release it writes schema.released.graphql too, with which the next changes are compared.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { printSchema } from 'graphql'
import { schema } from '../src/resolvers/schema.ts'

const file = new URL('../schema.graphql', import.meta.url)
const printed = `${printSchema(schema)}\n`

if (!process.argv.includes('--check')) {
  writeFileSync(file, printed)
  if (process.argv.includes('--release')) writeFileSync(new URL('../schema.released.graphql', import.meta.url), printed)
} else if (readFileSync(file, 'utf8') !== printed) {
  console.error('schema.graphql is stale: run `npm run schema`, and commit what changed')
  process.exitCode = 1
}
