import { Command } from 'commander'
import { type Config, ConfigError, configWarnings, readConfig } from '../config.ts'
import type { GatewayDefinition } from '../definition.ts'
import { checkConnection } from './check/connection.ts'
import { type Finding, found, problems } from './check/finding.ts'
import { checkServed } from './check/served.ts'
import { CliError } from './cli-error.ts'
import { loadDefinition } from './load-definition.ts'

interface CheckOptions {
  readonly connect?: boolean
  readonly json?: boolean
}

export function checkCommand(): Command {
  return new Command('check')
    .description('look at what a gateway would serve, and at its configuration; end with 1 if something is wrong')
    .argument('[module]', 'as for start')
    .option('--connect', 'also ask Kafka: brokers, topics, rights, and what share of the newest records decodes')
    .option('--json', 'print the findings as JSON')
    .action(async (module: string | undefined, { connect = false, json = false }: CheckOptions) => {
      const all: Finding[] = []
      const tell = (finding: Finding) => {
        all.push(finding)
        if (!json) console.log(lineOf(finding))
      }
      for await (const finding of findingsOf(module, connect)) tell(finding)
      const count = problems(all).length
      if (json) console.log(JSON.stringify({ ok: count === 0, findings: all }, null, 2))
      else console.log(count === 0 ? 'Nothing is wrong' : `${count} ${count === 1 ? 'problem' : 'problems'}`)
      if (count > 0) process.exitCode = 1
    })
}

/** A module or a configuration that cannot be read is told as the rest is: so `--json` is JSON, whatever is wrong. */
async function* findingsOf(module: string | undefined, connect: boolean): AsyncGenerator<Finding, void> {
  let config: Config | undefined
  try {
    config = readConfig(process.env)
    yield found('ok', 'configuration', 'It is valid')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) yield found('problem', 'configuration', problem)
  }
  for (const warning of configWarnings(process.env)) yield found('note', 'configuration', warning)
  let definition: GatewayDefinition
  try {
    definition = await loadDefinition(module)
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return yield found('problem', 'module', error.message)
  }
  yield* checkServed(definition)
  if (connect && config) yield* checkConnection(definition, config)
}

const WORDS = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' } as const

function lineOf({ kind, subject, text }: Finding): string {
  return `${WORDS[kind]}  ${subject}: ${text}`
}
