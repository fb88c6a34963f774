import { constants, gunzipSync } from 'node:zlib'
import type { Outlet, OutletListener, Sharing } from '../../../src/delivery/outlet.ts'
import { GzipOutlet } from '../../../src/transport/gzip/gzip-outlet.ts'
import type { Units } from '../../../src/transport/gzip/units.ts'
import { FakeOutlet } from '../../kit/engine.ts'

/** An outlet whose bytes are compressed; it also keeps what they were, as a member without compression gets them. */
export class Tap implements Outlet {
  readonly socket = new Socket()
  readonly #gzip: GzipOutlet
  readonly #plain: Buffer[] = []

  constructor(units: Units) {
    this.#gzip = new GzipOutlet(this.socket, units)
  }

  write(bytes: Buffer, sharing?: Sharing): boolean {
    this.#plain.push(bytes)
    return this.#gzip.write(bytes, sharing)
  }

  end(bytes?: Buffer, isComplete?: boolean): void {
    if (bytes) this.#plain.push(bytes)
    this.#gzip.end(bytes, isComplete)
  }

  destroy(): void {
    this.#gzip.destroy()
  }

  attach(listener: OutletListener): void {
    this.#gzip.attach(listener)
  }

  get plain(): string {
    return Buffer.concat(this.#plain).toString('latin1')
  }

  /** What a decoder has output by now, of a stream that goes on or was cut. */
  get decoded(): string {
    return gunzipSync(this.socket.sent, { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1')
  }

  /** What a decoder outputs of a whole stream. @throws if it is not whole, or its checksum or length is wrong. */
  get decodedWhole(): string {
    return gunzipSync(this.socket.sent).toString('latin1')
  }
}

class Socket extends FakeOutlet {
  readonly #sent: Buffer[] = []

  override write(bytes: Buffer): boolean {
    this.#sent.push(bytes)
    return super.write(bytes)
  }

  get sent(): Buffer {
    return Buffer.concat(this.#sent)
  }
}
