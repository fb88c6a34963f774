import { readFileSync } from 'node:fs'

/** A fenced block of a document. */
export interface FencedBlock {
  readonly file: string
  readonly language: string
  readonly text: string
}

export function blocksOf(file: string, language: string): FencedBlock[] {
  const markdown = readFileSync(file, 'utf8')
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```/gms)]
    .map(([, name = '', text = '']) => ({ file, language: name, text }))
    .filter((block) => block.language === language)
}

/** The commands of a shell block: its lines without comments, those joined that end in a backslash. */
export function commandsOf({ text }: FencedBlock): string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)#\s.*$/, ''))
    .filter((line) => line !== '')
}
