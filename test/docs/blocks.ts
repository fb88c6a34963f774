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

/**
 * The files that a document, or a part of one, has: fenced blocks right behind a line that ends with their path, as in
 * "`src/main.ts`:".
 */
export function filesOf(markdown: string): Map<string, string> {
  const blocks = markdown.matchAll(/`([\w./-]+)`:\n```\w+\n(.*?)^```/gms)
  return new Map(Array.from(blocks, ([, path = '', text = '']) => [path, text]))
}

/** The parts of a document by their headings of the second level; what is before the first is under ''. */
export function partsOf(markdown: string): Map<string, string> {
  const [first = '', ...rest] = markdown.split(/^## /m)
  return new Map([['', first], ...rest.map((part) => [part.split('\n')[0]!, part] as const)])
}
