/** Provisional: `sluice start [MODULE] | schema [MODULE]`. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { printSchema } from 'graphql'
import type { GatewayDefinition } from '../definition.ts'
import { runGateway } from './run-gateway.ts'

const [command, ...rest] = process.argv.slice(2)
const path = rest.find((each) => !each.startsWith('-')) ?? 'gateway.ts'
if (command !== 'start' && command !== 'schema') {
  console.error('Usage: sluice start [MODULE] | schema [MODULE]')
  process.exit(2)
}
const loaded: { default?: GatewayDefinition } = await import(pathToFileURL(resolve(path)).href)
if (!loaded.default) throw new Error(`${path} has no default export`)
if (command === 'schema') console.log(printSchema(loaded.default.schema))
else
  await runGateway(
    loaded.default,
    rest.filter((each) => each.startsWith('-')),
  )
