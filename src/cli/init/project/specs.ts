import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Versions of what a project needs. */
export interface PackageSpecs {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly overrides: Readonly<Record<string, string>>
}

/** What the generated files were tried with. A test holds these and the project's own versions together. */
export const DEV_DEPENDENCIES: Readonly<Record<string, string>> = {
  '@graphql-codegen/cli': '7.4.3',
  '@graphql-codegen/client-preset': '6.2.0',
  '@types/node': '24.19.2',
  typescript: '7.0.2',
}
export const PEERS: Readonly<Record<string, string>> = {
  '@pothos/core': '4.15.1',
  graphql: '17.1.0',
  zod: '4.6.7',
}
/** A newer one of it needs another major of its own peers: an install ends with a conflict. */
export const OVERRIDES: Readonly<Record<string, string>> = { '@graphql-tools/batch-execute': '10.2.0' }

/** For a project in `folder`. */
export function packageSpecs(folder: string): PackageSpecs {
  return {
    dependencies: { ...PEERS, sluice: ownSpec(folder, ownRoot()) },
    devDependencies: DEV_DEPENDENCIES,
    overrides: OVERRIDES,
  }
}

/** The folder of the running package. */
function ownRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (manifest(folder)?.name === 'sluice') return folder
    if (folder === dirname(folder)) throw new Error('The package "sluice" has no package.json')
  }
}

interface Manifest {
  readonly name?: string
  readonly version?: string
}

function manifest(folder: string): Manifest | undefined {
  return json(join(folder, 'package.json')) as Manifest | undefined
}

/** Undefined: there is no such file, or it is no JSON. */
function json(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

interface Installed {
  readonly resolved?: string
  readonly link?: boolean
}

/**
 * How a project in `folder` gets the package of `root`: from the file or folder that it was installed from, which npm
 * notes beside it, or else by its version.
 */
export function ownSpec(folder: string, root: string): string {
  const modules = dirname(root)
  const lock = json(join(modules, '.package-lock.json')) as
    | { packages?: Readonly<Record<string, Installed>> }
    | undefined
  const from = lock?.packages?.['node_modules/sluice']?.resolved
  if (from?.startsWith('file:')) {
    const path = resolve(dirname(modules), decodeURI(from.slice('file:'.length)))
    const near = relative(folder, path)
    return `file:${(near === '' ? '.' : near).replaceAll('\\', '/')}`
  }
  return `^${manifest(root)?.version ?? '0.1.0'}`
}
