import { Duplex } from 'node:stream'

/** Of a stream, or of GraphiQL's page: nobody looks further. */
const MAX_KEPT_BYTES = 64 * 1024

/**
 * A connection without a kernel: what a server writes is kept, and what is sent to it arrives at once. It has what
 * `net.Socket` has for a server beside a Duplex.
 */
export class MemorySocket extends Duplex {
  readonly remoteAddress: string
  readonly remotePort = 1
  readonly remoteFamily = 'IPv4'
  bytesWritten = 0
  #kept: Buffer[] = []
  #keptBytes = 0
  #head: { readonly length: number; readonly bodyAt: number } | undefined
  /** The server has ended its side. */
  ended = false

  readonly #hasBody: boolean

  /** @param hasBody false for the answer to a HEAD. */
  constructor(remoteAddress: string, hasBody: boolean) {
    super({ allowHalfOpen: true, emitClose: true })
    this.remoteAddress = remoteAddress
    this.#hasBody = hasBody
    this.on('error', () => {})
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#keep(chunk)
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) this.#keep(chunk)
    done()
  }

  override _final(done: () => void): void {
    this.ended = true
    done()
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  destroySoon(): void {
    this.end(() => this.destroy())
  }

  resetAndDestroy(): this {
    return this.destroy()
  }

  /** What the server has written, as far as it is kept. */
  get received(): string {
    return Buffer.concat(this.#kept).toString('latin1')
  }

  /** An answer is whole, by its length; of a stream, its first block or boundary. */
  get answered(): boolean {
    const head = this.#readHead()
    if (!head || !this.#hasBody) return head !== undefined
    if (head.length >= 0) return this.bytesWritten >= head.bodyAt + head.length
    return ['\n\n', '\r\n0\r\n\r\n', '--graphql'].some((end) => this.received.includes(end, head.bodyAt))
  }

  #readHead(): { readonly length: number; readonly bodyAt: number } | undefined {
    if (this.#head) return this.#head
    const { received } = this
    const end = received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const head = received.slice(0, end)
    const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? []
    // Of "100 Continue" and of a refusal that Node has written, nothing follows.
    const length =
      /\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? (status === '204' || !/type:/i.test(head) ? '0' : '-1')
    this.#head = { length: Number(length), bodyAt: end + 4 }
    return this.#head
  }

  #keep(chunk: Buffer): void {
    this.bytesWritten += chunk.length
    const room = MAX_KEPT_BYTES - this.#keptBytes
    if (room <= 0) return
    const part = chunk.length <= room ? chunk : chunk.subarray(0, room)
    this.#kept.push(part)
    this.#keptBytes += part.length
  }
}
