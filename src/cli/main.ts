/** The command `sluice`. */
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config.ts'
import { VERSION } from '../version.ts'
import { checkCommand } from './check.ts'
import { CliError } from './cli-error.ts'
import { initCommand } from './init/command.ts'
import { produceCommand } from './produce.ts'
import { schemaCommand } from './schema.ts'
import { startCommand } from './start.ts'

/** Wrong usage, as shells and other tools have it. */
const WRONG_USAGE = 2

/** The whole command line. It throws `CommanderError` instead of ending the process. */
export function program(): Command {
  const sluice = new Command('sluice')
    .description('Serves Kafka topics as GraphQL subscriptions over Server-Sent Events.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('--help', 'print this text, or that of a command')
    .helpCommand(false)
    .showHelpAfterError('(--help shows all commands)')
  for (const command of [startCommand(), checkCommand(), schemaCommand(), initCommand(), produceCommand()]) {
    sluice.addCommand(command.helpOption('--help', 'print this text').showHelpAfterError('(--help shows all options)'))
  }
  sluice.exitOverride()
  for (const command of sluice.commands) command.exitOverride()
  return sluice
}

/** Runs the command line of this process. Its exit code: 0, 1 (a sentence says what is wrong), 2 (wrong usage). */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has written its sentence; 0 is --help and --version.
      process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
    } else if (error instanceof CliError || error instanceof ConfigError) {
      console.error(error.message)
      process.exitCode = error instanceof CliError ? error.exitCode : 1
    } else {
      console.error(error)
      process.exitCode = 1
    }
  }
}

if (import.meta.main) await main(process.argv.slice(2))
