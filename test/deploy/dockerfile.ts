import { readFileSync } from 'node:fs'

/** One instruction of a Dockerfile, its lines joined. */
export interface Instruction {
  readonly name: string
  readonly text: string
}

export function instructionsOf(file: string): Instruction[] {
  const text = readFileSync(file, 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
      return { name, text: rest.trim() }
    })
}

/** The instruction of a name, which is there once. */
export function only(instructions: readonly Instruction[], name: string): string {
  const found = instructions.filter((each) => each.name === name)
  if (found.length !== 1) throw new Error(`The Dockerfile has ${found.length} of ${name}`)
  return found[0]!.text
}

/** A command in the form of a list, such as ["node", "main.js"]. */
export function wordsOf(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf('[')))
}

/** Variables of all ENV instructions; a value may name an earlier one. */
export function environmentOf(instructions: readonly Instruction[], base: Readonly<Record<string, string>>) {
  const environment: Record<string, string> = { ...base }
  for (const { text } of instructions.filter(({ name }) => name === 'ENV')) {
    for (const pair of text.split(/\s+/)) {
      const [name = '', value = ''] = pair.split(/=(.*)/)
      environment[name] = value.replaceAll(/\$(\w+)/g, (_all, variable) => environment[variable] ?? '')
    }
  }
  return environment
}
