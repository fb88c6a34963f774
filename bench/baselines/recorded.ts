/**
 * The least that Node can do for clients who come back: it has all their bytes as Buffers of 64 KB, shared by everybody, and writes
 * one after another to each socket, the next when the socket has taken the last. No HTTP parser, no GraphQL, no cursors,
 * no events. A baseline: it is not to be tuned with Sluice.
 *
 * PORT is where it listens; each file in FOLDER, named by a number, is a stream of bytes. `GET /FILE/OFFSET` gets the rest
 * of it from there, after which the connection stays open. It says `listening`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'

const WRITE_BYTES = 64 * 1024
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n'
const REQUEST = /^GET \/(\d+)\/(\d+) /

const { FOLDER = '', PORT } = process.env
const streams = readdirSync(FOLDER).map((_, i) => chunksOf(readFileSync(join(FOLDER, String(i)))))

function chunksOf(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / WRITE_BYTES)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * WRITE_BYTES, (i + 1) * WRITE_BYTES))
}

function send(socket: Socket, chunks: readonly Buffer[], offset: number): void {
  let next = Math.floor(offset / WRITE_BYTES)
  const more = () => {
    while (next < chunks.length && socket.write(chunks[next++] as Buffer));
  }
  socket.on('drain', more)
  socket.write(HEAD)
  // The first goes to where the shared ones begin.
  const first = chunks[next++]?.subarray(offset % WRITE_BYTES)
  if (!first || socket.write(first)) more()
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {})
  socket.once('data', (request) => {
    const [, file, offset] = REQUEST.exec(String(request)) ?? []
    const chunks = streams[Number(file)]
    if (chunks) send(socket, chunks, Number(offset))
    else socket.destroy()
  })
})
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening'))
