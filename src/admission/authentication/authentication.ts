import { ANONYMOUS } from '../../schema/context.ts'
import type { Entry } from '../entry.ts'
import { type Identity, NOBODY } from '../principal.ts'

const ANYBODY: Identity = { principal: NOBODY, audience: ANONYMOUS }

/** Authentication of requests. */
export class Authentication {
  /** @throws SluiceError `UNAUTHENTICATED` or `SESSION_EXPIRED` */
  identify(_entry: Entry): Identity | Promise<Identity> {
    return ANYBODY
  }
}
