import { NOTHING, type ResultFraming } from '../../protocol/framing.ts'

/** The bytes of one flush, created once for each framing that has members: one, in nearly all cases. */
export class FlushBytes {
  readonly #make: (framing: ResultFraming) => Buffer
  #framing: ResultFraming | undefined
  #bytes: Buffer = NOTHING
  #made: Map<ResultFraming, Buffer> | undefined

  constructor(make: (framing: ResultFraming) => Buffer) {
    this.#make = make
  }

  framed(framing: ResultFraming): Buffer {
    if (framing === this.#framing) return this.#bytes
    if (!framing.isShared) return this.#make(framing)
    if (this.#framing) this.#made ??= new Map([[this.#framing, this.#bytes]])
    this.#bytes = this.#made?.get(framing) ?? this.#make(framing)
    this.#made?.set(framing, this.#bytes)
    this.#framing = framing
    return this.#bytes
  }
}
