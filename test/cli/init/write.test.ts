import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageJson } from '../../../src/cli/init/project/package-json.ts'
import { DEV_DEPENDENCIES, OVERRIDES, ownSpec, PEERS } from '../../../src/cli/init/project/specs.ts'
import { writeProject } from '../../../src/cli/init/project/write.ts'

let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sluice-init-'))
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const FILES = new Map([
  ['gateway.ts', 'new gateway'],
  ['topics/a.ts', 'new a'],
  ['schema/a.ts', 'new schema'],
])

describe('writing a project', () => {
  it('makes the folder and what is in it, and leaves nothing else', async () => {
    const folder = join(parent, 'some/where')
    expect(await writeProject(folder, FILES)).toEqual({ written: [...FILES.keys()], kept: [] })
    expect(readFileSync(join(folder, 'topics/a.ts'), 'utf8')).toBe('new a')
    expect(readdirSync(folder).sort()).toEqual(['gateway.ts', 'schema', 'topics'])
  })

  it('never overwrites a file, and names those that were there', async () => {
    mkdirSync(join(parent, 'topics'))
    writeFileSync(join(parent, 'topics/a.ts'), 'mine')
    expect(await writeProject(parent, FILES)).toEqual({ written: ['gateway.ts', 'schema/a.ts'], kept: ['topics/a.ts'] })
    expect(readFileSync(join(parent, 'topics/a.ts'), 'utf8')).toBe('mine')
  })

  it('leaves nothing behind where a file is in the way of a folder', async () => {
    writeFileSync(join(parent, 'schema'), 'a file')
    await expect(writeProject(parent, FILES)).rejects.toThrow('"schema/a.ts" cannot be written')
    expect(readdirSync(parent)).toEqual(['schema'])
    await expect(writeProject(join(parent, 'schema'), FILES)).rejects.toThrow('is a file, where a folder is needed')
  })
})

describe('package.json', () => {
  const specs = {
    dependencies: { zod: '4.6.7', sluice: '^1' },
    devDependencies: { typescript: '7.0.2' },
    overrides: {},
  }

  it('of another project gets what it lacks, and keeps all that it has', () => {
    const own = { name: 'mine', scripts: { test: 'jest' }, devDependencies: { zod: '4.0.0' }, private: false }
    const { text, remarks } = packageJson('other', specs, JSON.stringify(own, null, 4))
    const merged = JSON.parse(text)
    expect(merged).toMatchObject(own)
    expect(merged.dependencies).toEqual({ sluice: '^1' })
    expect(merged.scripts.start).toContain('sluice')
    expect(text).toContain('\n    "name"')
    expect(remarks.join('\n')).toMatch(/scripts\.test stays.*zod stays.*"type": "module"/s)
  })

  it('that is no JSON ends the command', () => {
    expect(() => packageJson('a', specs, '{')).toThrow('no JSON')
    expect(() => packageJson('a', specs, '[]')).toThrow('no object')
  })

  it('names the archive that the running package was installed from, or else its version', () => {
    const modules = join(parent, 'tools/node_modules')
    const root = join(modules, 'sluice')
    mkdirSync(root, { recursive: true })
    writeFileSync(join(root, 'package.json'), JSON.stringify({ name: 'sluice', version: '3.2.1' }))
    expect(ownSpec(join(parent, 'app'), root)).toBe('^3.2.1')
    const lock = (resolved: string) =>
      writeFileSync(join(modules, '.package-lock.json'), JSON.stringify({ packages: { 'node_modules/sluice': { resolved } } })) // biome-ignore format: one line
    lock('file:../archives/sluice-3.2.1.tgz')
    expect(ownSpec(join(parent, 'app'), root)).toBe('file:../archives/sluice-3.2.1.tgz')
    lock('https://registry.example/sluice-3.2.1.tgz')
    expect(ownSpec(join(parent, 'app'), root)).toBe('^3.2.1')
    expect(existsSync(join(parent, 'app'))).toBe(false)
  })

  it('has the versions that this repository is tested with', () => {
    const own = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
    expect({ ...own.dependencies, ...own.devDependencies }).toMatchObject({ ...PEERS, ...DEV_DEPENDENCIES })
    expect(own.overrides).toMatchObject(OVERRIDES)
  })
})
