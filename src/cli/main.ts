/** Provisional: `sluice start [MODULE] | schema [MODULE] | init DIR …`. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { printSchema } from 'graphql'
import type { GatewayDefinition } from '../definition.ts'
import { initCommand } from './init/command.ts'
import { runGateway } from './run-gateway.ts'

async function load(path = 'gateway.ts'): Promise<GatewayDefinition> {
  const loaded: { default?: GatewayDefinition } = await import(pathToFileURL(resolve(path)).href)
  if (!loaded.default) throw new Error(`${path} has no default export`)
  return loaded.default
}

const program = new Command('sluice')
program.command('start [module]').action(async (path?: string) => runGateway(await load(path)))
program
  .command('schema [module]')
  .option('--output <file>')
  .action(async (path: string | undefined, { output }: { output?: string }) => {
    const text = `${printSchema((await load(path)).schema)}\n`
    if (output === undefined) process.stdout.write(text)
    else writeFileSync(output, text)
  })
program.addCommand(initCommand())
await program.parseAsync()
