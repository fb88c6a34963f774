/**
 * The least that Node can do: each line of the feed becomes one Buffer, which `socket.write` gives to every socket. No
 * GraphQL, no subscriptions, nobody's slowness looked after. A baseline: it is not to be tuned with Sluice.
 *
 * PORT is where it listens, FEED_PORT where it takes lines, `partition json`. It says `listening`.
 */
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { takeLines } from '../systems/line-feed.ts'

const HEAD = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', connection: 'close' }

const sockets = new Set<Socket>()
let count = 0

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    const { socket } = response
    if (!socket) return
    // The body ends with the connection, so that what is written is the same for every socket.
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
    response.writeHead(200, HEAD)
    response.flushHeaders()
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.write(':\n\n')
    sockets.add(socket)
  })
})
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'))

if (process.env.FEED_PORT) {
  takeLines(Number(process.env.FEED_PORT), (lines) => {
    for (const { json } of lines) {
      const frame = Buffer.from(`id: ${count++}\nevent: next\ndata: {"data":{"ordersByRegion":${json}}}\n\n`)
      for (const socket of sockets) socket.write(frame)
    }
  })
}
