import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isSchema } from 'graphql'
import type { GatewayDefinition } from '../definition.ts'
import { CliError } from './cli-error.ts'

/** Looked for in the working folder, in this order. */
const NAMES = ['gateway.ts', 'gateway.mts', 'gateway.js', 'gateway.mjs']
const FORM = '`export default defineGateway({ schema: builder.toSchema() })`'

/**
 * Imports the module of a gateway: Node runs TypeScript as it is.
 * @param given its path, from the working folder; by default one of `gateway.ts`, `.mts`, `.js`, `.mjs` there
 * @throws CliError that says what is wrong with the module.
 */
export async function loadDefinition(given?: string): Promise<GatewayDefinition> {
  const path = given === undefined ? foundIn(process.cwd()) : resolve(given)
  const name = relative(process.cwd(), path) || path
  if (!existsSync(path)) throw new CliError(`There is no ${name}`)
  const module: Record<string, unknown> = await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw new CliError(`${name} cannot be loaded. ${whyNot(error)}`)
  })
  return demandDefinition(name, module.default)
}

function foundIn(folder: string): string {
  const found = NAMES.map((name) => resolve(folder, name)).find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new CliError(`There is no ${NAMES[0]} here: name a module, or write one by \`sluice init\``)
}

function demandDefinition(name: string, value: unknown): GatewayDefinition {
  if (value === undefined) throw new CliError(`${name} has no default export. It needs ${FORM}`)
  if (isSchema(value)) throw new CliError(`${name} exports a schema: wrap it, by ${FORM}`)
  const given = Object(value) as Partial<GatewayDefinition> & { toSchema?: unknown; close?: unknown; then?: unknown }
  if (typeof given.toSchema === 'function') throw new CliError(`${name} exports a builder. It needs ${FORM}`)
  if (typeof given.then === 'function') throw new CliError(`${name} exports a promise: await it, or export ${FORM}`)
  if (typeof given.close === 'function')
    throw new CliError(`${name} exports a gateway that runs already: export its definition instead, by ${FORM}`)
  if (!Array.isArray(given.topics) || !given.schema)
    throw new CliError(`${name} exports something else than a definition. It needs ${FORM}`)
  return given as GatewayDefinition
}

/** What a person has to look at, with its place where it is known. */
function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return `It throws ${String(error)}`
  const { code, message, stack = '' } = error as NodeJS.ErrnoException
  // Node's text of a syntax error begins with file:line, and the line itself.
  const place = /^(file:\/\/\S+:\d+|\/\S+:\d+)$/m.exec(stack)?.[1]?.replace(/^file:\/\//, '')
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `Node only leaves TypeScript's types out, and this needs more: ${inOneLine(message)}${at(place)}`
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING')
    return `Node runs no TypeScript below node_modules: ${inOneLine(message)}`
  if (code === 'ERR_MODULE_NOT_FOUND') return `${inOneLine(message)}${packageOf(message)}`
  if (error instanceof SyntaxError || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX')
    return `Its syntax is wrong: ${inOneLine(message)}${at(place)}`
  const frame = /\((?:file:\/\/)?(\/[^)]+:\d+:\d+)\)|at (?:file:\/\/)?(\/\S+:\d+:\d+)/.exec(stack)
  return `${inOneLine(message)}${at(frame?.[1] ?? frame?.[2])}`
}

const at = (place: string | undefined) => (place === undefined ? '' : ` (${place})`)
const inOneLine = (text: string) => text.trim().replaceAll(/\s*\n\s*/g, '; ')

function packageOf(message: string): string {
  const name = /Cannot find package '([^']+)'/.exec(message)?.[1]
  return name === undefined ? '' : `: \`npm install ${name}\` installs it`
}
