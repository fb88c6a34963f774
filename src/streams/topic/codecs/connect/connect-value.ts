import { CodecFailure } from '../../codec.ts'
import { CONNECT_NAMES, VARIABLE_SCALE_DECIMAL } from '../avro/avro-logical.ts'
import type { Logical } from '../avro/avro-node.ts'
import { decimalText } from '../decimals.ts'
import { type LongOptions, longOf } from '../longs.ts'
import { setOwn } from '../own-property.ts'
import { dateText, instantText, localText, timeOfDayText } from '../times.ts'
import { Rounded } from './exact-json.ts'

/** A schema of Kafka Connect, as its JSON converter writes it with every record. */
export interface ConnectSchema {
  readonly type?: unknown
  readonly name?: unknown
  readonly fields?: unknown
  readonly items?: unknown
  readonly keys?: unknown
  readonly values?: unknown
  readonly parameters?: unknown
}

const DECIMAL = 'org.apache.kafka.connect.data.Decimal'
/** Depth limit: see MAX_DEPTH in decode.ts. */
const MAX_DEPTH = 100

/** The plain value of a payload, by its schema: see `connectCodec`. @throws CodecFailure; Rounded */
export function connectValue(
  schema: unknown,
  payload: unknown,
  longs: LongOptions['longs'],
  levels = MAX_DEPTH,
): unknown {
  if (payload === null || payload === undefined) return null
  if (levels === 0) throw new CodecFailure(`It is nested deeper than ${MAX_DEPTH} levels`)
  const definition = (schema ?? {}) as ConnectSchema
  const inner = (of: unknown, value: unknown): unknown => connectValue(of, value, longs, levels - 1)
  const { name } = definition
  if (name === DECIMAL) return decimalText(base64(payload), scaleOf(definition))
  const named = typeof name === 'string' && Object.hasOwn(CONNECT_NAMES, name) ? CONNECT_NAMES[name] : undefined
  if (named) return temporal(named[1], payload)
  switch (definition.type) {
    case 'struct':
      if (name === VARIABLE_SCALE_DECIMAL) return variableScaleDecimal(payload)
      return structOf(definition, payload, inner)
    case 'array':
      if (!Array.isArray(payload)) throw misfit('array')
      return payload.map((item) => inner(definition.items, item))
    case 'map':
      return mapOf(definition, payload, inner)
    case 'int64':
      return longOf(exact(payload), longs)
    default:
      return payload
  }
}

type Inner = (schema: unknown, value: unknown) => unknown

function structOf({ fields }: ConnectSchema, payload: unknown, inner: Inner): unknown {
  if (!Array.isArray(fields) || typeof payload !== 'object') throw misfit('struct')
  const object: Record<string, unknown> = {}
  const values = payload as Readonly<Record<string, unknown>>
  for (const field of fields as readonly { readonly field?: unknown }[]) {
    const name = field?.field
    if (typeof name === 'string' && Object.hasOwn(values, name)) setOwn(object, name, inner(field, values[name]))
  }
  return object
}

/** Keys that are no text make a list of pairs of a map. */
function mapOf({ keys, values }: ConnectSchema, payload: unknown, inner: Inner): unknown {
  if (Array.isArray(payload)) {
    return payload.map((pair) => {
      if (!Array.isArray(pair)) throw misfit('map')
      return [inner(keys, pair[0]), inner(values, pair[1])]
    })
  }
  if (typeof payload !== 'object') throw misfit('map')
  const object: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(payload as object)) setOwn(object, name, inner(values, value))
  return object
}

function temporal(logical: Logical, payload: unknown): string {
  if (logical.kind === 'instant-text') {
    if (typeof payload !== 'string') throw misfit('text')
    return payload
  }
  const value = exact(payload)
  switch (logical.kind) {
    case 'instant':
      return instantText(value, logical.unit)
    case 'local':
      return localText(value, logical.unit)
    case 'time':
      return timeOfDayText(value, logical.unit)
    default:
      return dateText(Number(value))
  }
}

function variableScaleDecimal(payload: unknown): string {
  const { scale, value } = payload as { readonly scale?: unknown; readonly value?: unknown }
  return decimalText(base64(value), Number(scale))
}

/** The scale of a decimal is text among its schema's parameters. */
function scaleOf({ parameters }: ConnectSchema): number {
  return Number((parameters as { readonly scale?: unknown } | null | undefined)?.scale ?? 0)
}

function base64(payload: unknown): Buffer {
  if (typeof payload !== 'string') throw misfit('decimal')
  return Buffer.from(payload, 'base64')
}

function exact(payload: unknown): number | bigint {
  if (typeof payload === 'bigint' || Number.isSafeInteger(payload)) return payload as number | bigint
  if (Number.isInteger(payload)) throw new Rounded()
  throw misfit('integer')
}

function misfit(what: string): CodecFailure {
  return new CodecFailure(`The payload does not fit its schema: it has something else where that has ${what}`)
}
