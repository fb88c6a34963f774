import type protobuf from 'protobufjs'
import { CodecFailure } from '../../codec.ts'
import type { LongOptions } from '../longs.ts'
import { setOwn } from '../own-property.ts'
import { type FieldPlan, fieldPlan, type MessagePlan } from './proto-plan.ts'
import { DELIMITED, END_GROUP, ProtoReader, START_GROUP } from './proto-reader.ts'
import { scalars } from './proto-scalars.ts'
import { COUNTED, WELL_KNOWN } from './well-known.ts'

/**
 * The decoder of a message, from an offset of its bytes on. Fields keep the names of the definition; those with presence
 * that are not there are absent.
 */
export function protoDecoder(type: protobuf.Type, options: LongOptions): (bytes: Buffer, at: number) => unknown {
  const plans = new Plans(options)
  const plan = plans.of(type)
  const reader = new ProtoReader()
  return (bytes, at) => {
    reader.start(bytes, at)
    return decodeMessage(reader, plan, undefined)
  }
}

/** The plans of messages, each made once: a message may contain itself. */
class Plans {
  readonly #scalars
  /** Well-known messages with integers of their own, which become text. */
  readonly #exact = scalars({ longs: 'text' })
  readonly #plans = new Map<protobuf.Type, MessagePlan>()

  constructor(options: LongOptions) {
    this.#scalars = scalars(options)
  }

  of(type: protobuf.Type): MessagePlan {
    const known = this.#plans.get(type)
    if (known) return known
    const name = type.fullName
    const plan: MessagePlan = {
      fields: new Map(),
      initial: [],
      unwrap: Object.hasOwn(WELL_KNOWN, name) ? WELL_KNOWN[name] : undefined,
    }
    this.#plans.set(type, plan)
    const table = COUNTED.has(name) ? this.#exact : this.#scalars
    for (const field of type.fieldsArray) {
      const made = fieldPlan(field.resolve(), table, (inner) => this.of(inner))
      plan.fields.set(field.id, made)
      if (made.initial !== undefined) plan.initial.push(made)
    }
    return plan
  }
}

/** `group`: the number of the field whose group it is, which ends by a tag; undefined: it ends with the reader. */
function decodeMessage(reader: ProtoReader, plan: MessagePlan, group: number | undefined): unknown {
  reader.enter()
  const object: Record<string, unknown> = {}
  for (const field of plan.initial) setOwn(object, field.name, field.initial?.())
  const start = reader.at
  /** Messages that came in several parts, which are to be merged. */
  let parted: Set<FieldPlan> | undefined
  while (reader.at < reader.end) {
    const tag = reader.uint32()
    const number = tag >>> 3
    const wireType = tag & 7
    if (wireType === END_GROUP && number === group) {
      group = undefined
      break
    }
    const field = plan.fields.get(number)
    if (number === 0) throw new CodecFailure('A field has the number 0')
    if (!field || !fits(field, wireType)) {
      reader.skipValue(wireType, number)
      continue
    }
    const isAgain = field.kind === 'message' && Object.hasOwn(object, field.name)
    readField(reader, field, wireType, object)
    if (isAgain) {
      parted ??= new Set()
      parted.add(field)
    }
  }
  if (group !== undefined) throw new CodecFailure('A group does not end')
  if (parted) for (const field of parted) setOwn(object, field.name, merged(reader, start, reader.at, field))
  reader.leave()
  return plan.unwrap ? plan.unwrap(object) : object
}

function fits(field: FieldPlan, wireType: number): boolean {
  return wireType === field.wireType || (field.isPackable && wireType === DELIMITED)
}

function readField(reader: ProtoReader, field: FieldPlan, wireType: number, object: Record<string, unknown>): void {
  for (const other of field.excludes) delete object[other]
  switch (field.kind) {
    case 'scalar':
      setOwn(object, field.name, field.read(reader))
      return
    case 'message':
      setOwn(object, field.name, readMessage(reader, field, wireType))
      return
    case 'list':
      readItems(reader, field, wireType, object[field.name] as unknown[])
      return
    case 'map':
      readEntry(reader, field, object[field.name] as Record<string, unknown>)
  }
}

function readItems(reader: ProtoReader, field: FieldPlan, wireType: number, items: unknown[]): void {
  if (field.message) items.push(readMessage(reader, field, wireType))
  else if (wireType === field.wireType) items.push(field.read(reader))
  else {
    const end = reader.length() + reader.at
    within(reader, end, () => {
      while (reader.at < end) items.push(field.read(reader))
    })
  }
}

function readMessage(reader: ProtoReader, field: FieldPlan, wireType: number): unknown {
  const plan = field.message as MessagePlan
  if (wireType === START_GROUP) return decodeMessage(reader, plan, field.number)
  const end = reader.length() + reader.at
  return within(reader, end, () => decodeMessage(reader, plan, undefined))
}

/** An entry is a message of key 1 and value 2, of which either may be missing. */
function readEntry(reader: ProtoReader, field: FieldPlan, object: Record<string, unknown>): void {
  const { key, value } = field.entry as NonNullable<FieldPlan['entry']>
  const end = reader.length() + reader.at
  within(reader, end, () => {
    let name = String(key.initial)
    let found: unknown
    let isFound = false
    while (reader.at < end) {
      const tag = reader.uint32()
      const number = tag >>> 3
      if (number === 1 && (tag & 7) === key.wireType) name = String(key.read(reader))
      else if (number === 2 && (tag & 7) === value.wireType) {
        found = value.message ? readMessage(reader, value, DELIMITED) : value.read(reader)
        isFound = true
      } else reader.skipValue(tag & 7, number)
    }
    setOwn(object, name, isFound ? found : emptyOf(value))
  })
}

function emptyOf(value: FieldPlan): unknown {
  if (!value.message) return value.initialValue
  const reader = new ProtoReader()
  return decodeMessage(reader, value.message, undefined)
}

/** By the specification, a message in parts is what their bytes one after the other say. */
function merged(reader: ProtoReader, start: number, stop: number, field: FieldPlan): unknown {
  const { at, end } = reader
  const parts: Buffer[] = []
  reader.at = start
  while (reader.at < stop) {
    const tag = reader.uint32()
    if ((tag & 7) === END_GROUP) break
    if (tag >>> 3 !== field.number || (tag & 7) !== DELIMITED) reader.skipValue(tag & 7, tag >>> 3)
    else {
      const length = reader.length()
      const from = reader.skip(length)
      parts.push(reader.bytes.subarray(from, from + length))
    }
  }
  reader.at = at
  reader.end = end
  const whole = new ProtoReader()
  whole.start(Buffer.concat(parts), 0)
  whole.depth = reader.depth
  return decodeMessage(whole, field.message as MessagePlan, undefined)
}

function within<T>(reader: ProtoReader, end: number, act: () => T): T {
  const outer = reader.end
  reader.end = end
  const result = act()
  reader.end = outer
  return result
}
