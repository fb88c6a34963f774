/**
 * Whether clients of the released schema go on with the present one: `node scripts/check-released.ts [RELEASED
 * [PRESENT]]`, by default schema.released.graphql, which `npm run schema -- --release` renews, and schema.graphql.
 */
import { readFileSync } from 'node:fs'
import { compareSchemas, verdictOf } from '../src/cli/schema-changes.ts'

const [released = 'schema.released.graphql', present = 'schema.graphql'] = process.argv.slice(2)
const { ok, lines } = verdictOf(await compareSchemas(readFileSync(released, 'utf8'), readFileSync(present, 'utf8')))
for (const line of lines) console.log(line)
process.exitCode = ok ? 0 : 1
