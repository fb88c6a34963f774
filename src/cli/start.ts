import { Command } from 'commander'
import { loadDefinition } from './load-definition.ts'
import { runGateway } from './run-gateway.ts'

export function startCommand(): Command {
  return new Command('start')
    .description('run a gateway until SIGTERM or Ctrl-C; it is configured by environment variables')
    .argument('[module]', 'what it serves, by its default export (default: gateway.ts here)')
    .action(async (module?: string) => runGateway(await loadDefinition(module)))
}
