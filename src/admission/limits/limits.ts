import type { Principal } from '../principal.ts'
import type { StreamOwner } from '../stream-owner.ts'

/** What a client may use of this instance: by principal, and by address. */
export class Limits {
  /** @throws SluiceError `RATE_LIMITED` */
  demandRequest(_principal: Principal, _address: string): void {}

  /** Runs the preparation of an operation, whose CPU time is charged. @throws SluiceError `RATE_LIMITED` */
  preparing<T>(_principal: Principal, _address: string, prepare: () => T): T {
    return prepare()
  }

  /**
   * Takes room for a stream before it is opened: `release` is called once, when it has ended or was not opened.
   * @throws SluiceError `RATE_LIMITED`
   */
  takeStream(_owner: StreamOwner): { release(): void } {
    return NOTHING
  }
}

const NOTHING = { release() {} }
