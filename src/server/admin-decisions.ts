import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { z } from 'zod'
import { type ControlKind, explain, MAX_REASON_CHARS, MAX_VALUE_CHARS } from '../admission/control/control-entry.ts'
import { DecisionFailed, type Decisions } from '../admission/control/decisions.ts'
import { NOBODY } from '../admission/principal.ts'
import { SluiceError } from '../errors/codes.ts'
import { readJson } from '../transport/request-body.ts'

/** Size limit of a body: the longest values take a part of it. */
const MAX_BODY_BYTES = 16 * 1024
/** SHA-256 in hex, in which upper case is the same. */
const HASH = /^[0-9a-f]{64}$/i

const Value = z.string().min(1).max(MAX_VALUE_CHARS).optional()
const COMMON = {
  /** Undoes the decision. */
  undo: z.boolean().optional(),
  /** Until when it is in force; absent: until it is undone. */
  until: z.iso.datetime({ offset: true }).optional(),
  reason: z.string().max(MAX_REASON_CHARS).optional(),
}
const Revocation = z.strictObject({ principal: Value, key: Value, jti: Value, ...COMMON })
const Block = z.strictObject({ operation: Value, ...COMMON })

/** By the property that names it, what is decided on. */
const KINDS: Record<string, ControlKind> = {
  principal: 'principal',
  key: 'key',
  jti: 'token',
  operation: 'operation',
}
const REVOCABLE = ['principal', 'key', 'jti']
const BLOCKABLE = ['operation']

export const DECISION_PATHS = ['/revoke', '/block'] as const
export type DecisionPath = (typeof DECISION_PATHS)[number]

export interface DecisionAnswer {
  readonly status: number
  /** JSON, if it is an object; otherwise a sentence. */
  readonly body: object | string
}

/**
 * Answers `POST /revoke` and `POST /block`. A web page could have a browser send them: a request with an `Origin`, as
 * those of browsers have, is refused, and so is a body that is not said to be JSON.
 */
export async function decide(
  path: DecisionPath,
  request: IncomingMessage,
  decisions: Decisions,
  log: Logger,
): Promise<DecisionAnswer> {
  if (request.headers.origin !== undefined) return { status: 403, body: 'Decisions are not taken from web pages' }
  try {
    const asked = read(path, await readJson(request, MAX_BODY_BYTES))
    const { named, undo, kind, value, until, reason } = asked
    const about = { [named]: value }
    if (undo) {
      await decisions.undo({ kind, value })
      log.warn(about, path === '/revoke' ? 'A revocation was undone' : 'A block was undone')
      return { status: 200, body: { undone: about } }
    }
    const streams = await decisions.take({ kind, value, at: Date.now(), until, reason })
    log.warn({ ...about, until, reason, streams }, path === '/revoke' ? 'Revoked' : 'Blocked')
    return { status: 200, body: { [path === '/revoke' ? 'revoked' : 'blocked']: about, streams } }
  } catch (error) {
    if (error instanceof SluiceError || error instanceof DecisionFailed)
      return { status: error.status, body: error.message }
    throw error
  }
}

interface Asked {
  readonly named: string
  readonly kind: ControlKind
  readonly value: string
  readonly undo: boolean
  readonly until: number | undefined
  readonly reason: string | undefined
}

/** @throws SluiceError `BAD_REQUEST` */
function read(path: DecisionPath, body: unknown): Asked {
  const { data, error } = (path === '/revoke' ? Revocation : Block).safeParse(body)
  if (error) throw bad(`The body is not what ${path} takes: ${explain(error)}`)
  const names = path === '/revoke' ? REVOCABLE : BLOCKABLE
  const given = names.flatMap((name) => {
    const value = (data as Record<string, unknown>)[name]
    return typeof value === 'string' ? [{ named: name, value }] : []
  })
  const [one, another] = given
  if (!one || another) throw bad(`The body has exactly one of ${names.map((name) => `"${name}"`).join(', ')}`)
  const { undo = false, reason } = data
  const until = data.until === undefined ? undefined : Date.parse(data.until)
  if (undo && (until !== undefined || reason !== undefined)) throw bad('"undo" takes neither "until" nor "reason"')
  if (until !== undefined && until <= Date.now()) throw bad('"until" is in the past')
  const { named } = one
  if (named === 'principal' && one.value === NOBODY.id)
    throw bad('Clients without credentials are no principal: ANONYMOUS=false keeps them out')
  const value = named === 'operation' && HASH.test(one.value) ? one.value.toLowerCase() : one.value
  return { named, kind: KINDS[named] as ControlKind, value, undo, until, reason }
}

function bad(message: string): SluiceError {
  return new SluiceError('BAD_REQUEST', message)
}
