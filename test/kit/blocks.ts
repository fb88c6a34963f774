import type { Readable } from 'node:stream'

/** One block of an event stream, field by field, as it came. Fields that were not there are absent. */
export interface Block {
  readonly id?: string
  readonly event?: string
  readonly data?: string
  readonly retry?: string
}

export function parseBlock(block: string): Block {
  const fields: Record<string, string> = {}
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const value = line.slice(colon + 1).replace(/^ /, '')
    const name = line.slice(0, colon)
    fields[name] = name in fields ? `${fields[name]}\n${value}` : value
  }
  return fields
}

/** Gives each block of a response once the whole of it has come. */
export function onBlocks(response: Readable, take: (block: Block) => void): void {
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) take(parseBlock(block))
  })
}
