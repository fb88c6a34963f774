import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { lexicographicSortSchema, printSchema } from 'graphql'
import { CliError } from './cli-error.ts'
import { loadDefinition } from './load-definition.ts'

interface SchemaOptions {
  readonly output?: string
  readonly check?: string
  readonly sort?: boolean
}

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the GraphQL schema of a gateway')
    .argument('[module]', 'as for start')
    .option('--output <file>', 'write it into a file instead')
    .option('--check <file>', 'say whether a file has it, and end with 1 if it has another one')
    .option('--sort', 'sort types and fields by name')
    .action(async (module: string | undefined, { output, check, sort = false }: SchemaOptions) => {
      const { schema } = await loadDefinition(module)
      const text = `${printSchema(sort ? lexicographicSortSchema(schema) : schema)}\n`
      if (check !== undefined) await demandSame(check, text)
      if (output !== undefined) await writeFile(output, text).catch(failed(`${output} cannot be written`))
      else if (check === undefined) process.stdout.write(text)
    })
}

async function demandSame(file: string, text: string): Promise<void> {
  const has = await readFile(file, 'utf8').catch(failed(`${file} cannot be read`))
  if (has === text) return
  const [old, now] = [has.split('\n'), text.split('\n')]
  const line = now.findIndex((each, index) => each !== old[index])
  const first = line < 0 ? now.length : line
  throw new CliError(
    `${file} is not the schema of this gateway. They differ from line ${first + 1} on:\n` +
      `  ${file}: ${old[first] ?? '(its end)'}\n  the gateway: ${now[first] ?? '(its end)'}`,
  )
}

const failed = (sentence: string) => (error: Error) => {
  throw new CliError(`${sentence}: ${error.message}`)
}
