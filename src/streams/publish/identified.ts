import { hash, randomBytes } from 'node:crypto'
import { SluiceError } from '../../errors/codes.ts'
import type { EventHeaders } from '../event.ts'

/** Headers of a record that was published with an idempotency key: what of its publication repeats are told by. */
export const ID_HEADER = 'sluice-id'
const DIGEST_HEADER = 'sluice-digest'
/** The instance that has published a record. */
const ORIGIN_HEADER = 'sluice-origin'

/** A UUID has 36. */
const MAX_KEY_CHARS = 200
/** 128 bits: unique as a UUID is. */
const ID_BYTES = 16

/** What tells a publication apart from others. */
export interface Identified {
  /** 32 hex digits. With an idempotency key any instance gives the same; random without one. */
  readonly id: string
  /** Of the arguments, so that a key that is used for something else is noticed. */
  readonly digest: string
}

export interface Publication {
  readonly topic: string
  /** Whose idempotency key it is. */
  readonly principal: string
  /** The field by which it is published: its keys are its own. */
  readonly field: string
  readonly key: string | undefined
  readonly args: unknown
}

/** @throws SluiceError `BAD_USER_INPUT` for a key that is empty, or too long. */
export function identify({ topic, principal, field, key, args }: Publication): Identified {
  if (key === undefined) return { id: randomBytes(ID_BYTES).toString('hex'), digest: '' }
  if (key === '' || key.length > MAX_KEY_CHARS) {
    throw new SluiceError('BAD_USER_INPUT', `An idempotency key has 1 to ${MAX_KEY_CHARS} characters`)
  }
  return { id: digestOf([topic, field, principal, key]), digest: digestOf(args) }
}

export function recordHeaders(origin: string, identified: Identified | undefined): EventHeaders {
  if (!identified) return { [ORIGIN_HEADER]: origin }
  return { [ORIGIN_HEADER]: origin, [ID_HEADER]: identified.id, [DIGEST_HEADER]: identified.digest }
}

/** Undefined: the record was not published with an idempotency key. */
export function headersOf(headers: EventHeaders): Identified | undefined {
  const { [ID_HEADER]: id, [DIGEST_HEADER]: digest } = headers
  return id !== undefined && digest !== undefined ? { id, digest } : undefined
}

function digestOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value, plain), 'hex').slice(0, 2 * ID_BYTES)
}

/** JSON has no integers of this kind; a custom scalar may give some. */
function plain(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}
