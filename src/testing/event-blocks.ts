/** A block of an event stream, as far as the gateway uses them. */
export interface EventBlock {
  readonly id?: string | undefined
  readonly event?: string | undefined
  readonly data?: string | undefined
}

/** The gateway ends each line by a line feed, and each block by an empty line. */
export async function* eventBlocks(body: AsyncIterable<Uint8Array>): AsyncGenerator<EventBlock, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) yield parse(block)
  }
}

function parse(block: string): EventBlock {
  return Object.fromEntries(
    block.split('\n').map((line) => {
      const colon = line.indexOf(':')
      const value = line.slice(colon + 1)
      return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
    }),
  )
}
