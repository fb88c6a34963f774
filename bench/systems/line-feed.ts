import { createServer } from 'node:net'

export interface FeedLine {
  readonly partition: number
  readonly json: string
}

/** Takes `partition json` lines from the load generator; what comes in one read is handed over together. */
export function takeLines(port: number, onLines: (lines: readonly FeedLine[]) => void): void {
  const server = createServer((socket) => {
    let rest = ''
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      if (lines.length > 0) onLines(lines.map(parse))
    })
    socket.on('error', () => {})
  })
  server.listen(port, '127.0.0.1')
}

function parse(line: string): FeedLine {
  const space = line.indexOf(' ')
  return { partition: Number(line.slice(0, space)), json: line.slice(space + 1) }
}
