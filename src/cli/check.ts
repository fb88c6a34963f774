import { Command } from 'commander'
import { configWarnings, readConfig } from '../config.ts'
import { checkConnection } from './check/connection.ts'
import { type Finding, found, problems } from './check/finding.ts'
import { checkServed } from './check/served.ts'
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
      const definition = await loadDefinition(module)
      const config = readConfig(process.env)
      tell(found('ok', 'configuration', 'It is valid'))
      for (const warning of configWarnings(process.env)) tell(found('note', 'configuration', warning))
      for (const finding of checkServed(definition)) tell(finding)
      if (connect) for await (const finding of checkConnection(definition, config)) tell(finding)
      const count = problems(all).length
      if (json) console.log(JSON.stringify({ ok: count === 0, findings: all }, null, 2))
      else console.log(count === 0 ? 'Nothing is wrong' : `${count} ${count === 1 ? 'problem' : 'problems'}`)
      if (count > 0) process.exitCode = 1
    })
}

const WORDS = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' } as const

function lineOf({ kind, subject, text }: Finding): string {
  return `${WORDS[kind]}  ${subject}: ${text}`
}
