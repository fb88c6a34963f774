import type { ClientShare, CloseReason, Outlet, OutletListener, OutletOwner, Sharing } from '../../delivery/outlet.ts'
import { GZIP_HEAD, gzipEnd } from './deflate.ts'
import type { Unit } from './unit.ts'
import type { Units } from './units.ts'

/** Bytes of its own, such as heartbeats, after which a member still shares the history of its group. */
const MAX_GAP = 512

/**
 * Compresses a stream (RFC 1952), in front of its outlet. Members that were written the same bytes before share what
 * they are written now: the compressed bytes, too. A planned end has the checksum of all that was written; a cut has not,
 * as a stream without compression has no `complete`.
 */
export class GzipOutlet implements Outlet {
  readonly isCompressed = true
  readonly #outlet: Outlet
  readonly #units: Units
  /** The last flush that was written, which the next one follows, and how many bytes have been written since. */
  #history: Unit | undefined
  #gap = 0
  /** Checksum of what was written, and its length modulo 2^32; as signed integers, which take no memory of their own. */
  #crc = 0
  #length = 0

  constructor(outlet: Outlet, units: Units) {
    this.#outlet = outlet
    this.#units = units
    units.stats.codedBytes += GZIP_HEAD.length
    outlet.write(GZIP_HEAD)
  }

  get owner(): OutletOwner | undefined {
    return this.#outlet.owner
  }

  get unsent(): number | undefined {
    return this.#outlet.unsent
  }

  get share(): ClientShare | undefined {
    return this.#outlet.share
  }

  attach(listener: OutletListener): void {
    this.#outlet.attach(listener)
  }

  write(bytes: Buffer, sharing: Sharing = 'own'): boolean {
    return this.#outlet.write(this.#encode(bytes, sharing))
  }

  closing(reason: CloseReason): void {
    this.#outlet.closing?.(reason)
  }

  end(bytes?: Buffer, isComplete?: boolean): void {
    const last = bytes && bytes.length > 0 ? [this.#encode(bytes, 'own')] : []
    const end = gzipEnd(this.#crc, this.#length)
    this.#units.stats.codedBytes += end.length
    this.#outlet.end(Buffer.concat([...last, end]), isComplete)
  }

  destroy(): void {
    this.#outlet.destroy()
  }

  #encode(bytes: Buffer, sharing: Sharing): Buffer {
    const unit = this.#units.unitOf(bytes, sharing)
    const coded = this.#units.encode(unit, bytes, sharing, this.#history, this.#gap)
    this.#crc = unit.crcAfter(this.#crc)
    this.#length = (this.#length + bytes.length) | 0
    if (sharing === 'flush') {
      this.#units.follow(unit, bytes, this.#history)
      this.#history = unit
      this.#gap = 0
    } else if (this.#history) {
      this.#gap += bytes.length
      if (this.#gap > MAX_GAP) this.#history = undefined
    }
    return coded
  }
}
