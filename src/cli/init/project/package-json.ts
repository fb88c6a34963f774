import { InitError } from '../init-error.ts'
import type { PackageSpecs } from './specs.ts'

type Json = Readonly<Record<string, unknown>>

const SCRIPTS = {
  start: 'node --env-file-if-exists=.env node_modules/sluice/bin/sluice.cjs start gateway.ts',
  test: 'node --test',
  check: 'tsc --noEmit',
  schema: 'sluice schema --output schema.graphql',
  codegen: 'npm run schema && graphql-codegen --config codegen.ts',
}

/** `package.json` of a new project, or the existing one with what it lacks: nothing of it is changed or removed. */
export interface PackageJson {
  readonly text: string
  /** What a person has to do, where something existing is in the way. */
  readonly remarks: readonly string[]
}

export function packageJson(name: string, specs: PackageSpecs, existing?: string): PackageJson {
  const wanted = {
    scripts: SCRIPTS,
    dependencies: specs.dependencies,
    devDependencies: specs.devDependencies,
    overrides: specs.overrides,
  }
  if (existing === undefined) {
    const own = { name, version: '0.1.0', private: true, type: 'module', engines: { node: '>=24' }, ...wanted }
    return { text: `${JSON.stringify(own, null, 2)}\n`, remarks: [] }
  }
  return merged(parsed(existing), wanted, existing)
}

function parsed(text: string): Json {
  let own: unknown
  try {
    own = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw new InitError(`The package.json that is there is no JSON: ${(error as Error).message}`)
  }
  if (own === null || typeof own !== 'object' || Array.isArray(own)) {
    throw new InitError('The package.json that is there is no object')
  }
  return own as Json
}

function merged(
  own: Json,
  wanted: Readonly<Record<string, Readonly<Record<string, string>>>>,
  text: string,
): PackageJson {
  const remarks: string[] = []
  const next: Record<string, unknown> = { ...own }
  const installed = { ...(own.dependencies as Json), ...(own.devDependencies as Json) }
  for (const [section, entries] of Object.entries(wanted)) {
    const there = (own[section] ?? {}) as Json
    const added: Record<string, string> = {}
    for (const [name, value] of Object.entries(entries)) {
      const known = section.endsWith('ependencies') ? installed[name] : there[name]
      if (known === undefined) added[name] = value
      else if (known !== value && section !== 'overrides')
        remarks.push(
          `package.json: ${section}.${name} stays as it is; \`${value}\` is what this project was written for.`,
        )
    }
    if (Object.keys(added).length > 0) next[section] = { ...there, ...added }
  }
  if (own.type !== 'module')
    remarks.push('package.json: it does not say "type": "module", which the files that were written need.')
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  '
  return { text: `${JSON.stringify(next, null, indent)}\n`, remarks }
}
