import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Locked {
  readonly version: string
  readonly license?: string
  readonly hasInstallScript?: true
  readonly integrity?: string
  readonly dependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
  readonly peerDependenciesMeta?: Record<string, { optional?: boolean }>
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> }
const own = Object.keys(packages['']?.dependencies ?? {})

/** Where a package of this folder finds another: as Node does. */
function find(from: string, name: string): string {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder}${folder && '/'}node_modules/${name}`
    if (packages[path]) return path
    if (folder === '') throw new Error(`${from} has no ${name}`)
  }
}

/** Everything that a package brings, optional peers apart. */
function broughtBy(path: string, all = new Set<string>()): Set<string> {
  const { dependencies, peerDependencies, peerDependenciesMeta } = packages[path] as Locked
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (peerDependenciesMeta?.[name]?.optional) continue
    const found = find(path, name)
    if (all.has(found)) continue
    all.add(found)
    broughtBy(found, all)
  }
  return all
}

const document = globSync(['docs/security.md', 'docs/security/*.md'])
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')

test('every dependency of the product has been looked through, in the version that is installed', () => {
  const rows = document.matchAll(/^\| `([\w@/-]+)` \| ([\d.]+) \| (\d+) \| ([\w.-]+) \|/gm)
  const said = Object.fromEntries(Array.from(rows, ([, name, ...rest]) => [name, rest]))
  const locked = own.map((name) => {
    const path = `node_modules/${name}`
    const { version, license } = packages[path] as Locked
    return [name, [version, String(broughtBy(path).size), license]]
  })
  expect(said).toEqual(Object.fromEntries(locked))
})

test('no dependency of the product runs anything when it is installed, and each has a hash', () => {
  const all = new Set(own.flatMap((name) => [`node_modules/${name}`, ...broughtBy(`node_modules/${name}`)]))
  expect(document).toContain(`${all.size} packages`)
  const odd = [...all].filter((path) => packages[path]?.hasInstallScript || !packages[path]?.integrity)
  expect(odd).toEqual([])
})
