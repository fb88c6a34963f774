/**
 * Part of `npm run check`: the example client's generated types are those of `schema.graphql`. A document that the
 * schema no longer answers (a field renamed, say) fails here; a type that changed fails where the example uses it.
 */
import { readFileSync } from 'node:fs'
import { type CodegenConfig, generate } from '@graphql-codegen/cli'
import config from '../codegen.ts'

/**
 * The generated files that differ from what the schema and the documents give now.
 * @throws Error naming each part of a document that the schema does not know.
 */
export async function staleFiles(using: CodegenConfig): Promise<string[]> {
  const files: { filename: string; content: string }[] = await generate(
    { ...using, silent: true, errorsOnly: true },
    false,
  )
  return files.filter(({ filename, content }) => content !== read(filename)).map(({ filename }) => filename)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // not generated yet: stale too
  }
}

if (import.meta.main) {
  try {
    const stale = await staleFiles(config)
    for (const file of stale) console.error(`${file} is stale: run \`npm run codegen\``)
    process.exitCode = stale.length > 0 ? 1 : 0
  } catch (error) {
    // Its message says which part of which document; its stack is the generator's own.
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
