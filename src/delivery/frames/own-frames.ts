import type { ResultFraming } from '../../protocol/framing.ts'

/** Frames of one member, not shared, that are gathered for one write. */
export class OwnFrames {
  readonly #framing: ResultFraming
  readonly #maxBytes: number
  readonly #cursors: Buffer[] = []
  readonly #jsons: Buffer[] = []
  #size = 0

  constructor(framing: ResultFraming, maxBytes: number) {
    this.#framing = framing
    this.#maxBytes = maxBytes
  }

  get count(): number {
    return this.#jsons.length
  }

  get isEnough(): boolean {
    return this.#size >= this.#maxBytes
  }

  get bytes(): Buffer | undefined {
    if (this.count === 0) return undefined
    const bytes = Buffer.allocUnsafe(this.#size)
    let at = 0
    for (let i = 0; i < this.#jsons.length; i++) {
      at = this.#framing.write(bytes, at, this.#cursors[i] as Buffer, this.#jsons[i] as Buffer)
    }
    return bytes
  }

  add(cursor: string, json: Buffer): void {
    const bytes = Buffer.from(cursor, 'latin1')
    this.#cursors.push(bytes)
    this.#jsons.push(json)
    this.#size += this.#framing.sizeOf(bytes, json)
  }
}
