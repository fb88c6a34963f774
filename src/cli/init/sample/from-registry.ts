import type { RawRecord } from '../../../streams/event.ts'
import { CodecUnavailable } from '../../../streams/topic/codec.ts'
import { shapeOfChange } from '../../../streams/topic/codecs/connect/debezium-shape.ts'
import { registryCodec } from '../../../streams/topic/codecs/registry/registry-codec.ts'
import type { SchemaRegistry } from '../../../streams/topic/codecs/registry/schema-registry.ts'
import type { Field, Shape } from '../../../streams/topic/shape.ts'
import { inferField } from '../infer/infer.ts'
import { fieldOf } from '../infer/place.ts'
import { InitError } from '../init-error.ts'
import type { TopicFindings } from '../plan/planner.ts'
import { CHANGE_NOTE, changeShape } from './changes.ts'
import { decodeAll } from './decoded.ts'
import { unwrap } from './envelope.ts'
import { isWireFormat, recordNotes, seenOf } from './look.ts'
import type { Reading } from './reading.ts'

const READING: Reading = {
  format: 'registry',
  codec: 'registryCodec(registry)',
  imports: ['registryCodec'],
  usesRegistry: true,
}

/**
 * What a topic looks like by the registry: by the newest definition of its values, or by its records where the registry
 * has none of this name. Undefined: its records are not of the registry.
 * @throws InitError where the registry cannot be asked.
 */
export async function lookInRegistry(
  topic: string,
  records: readonly RawRecord[],
  registry: SchemaRegistry,
  signal: AbortSignal,
): Promise<TopicFindings | undefined> {
  const filled = records.filter(({ value }) => value !== null)
  const bytes = filled.map(({ value }) => value as Buffer)
  if (filled.length > 0 && !isWireFormat(bytes)) return undefined
  const subject = `${topic}-value`
  const shape = await shapeOf(registry, subject)
  if (filled.length === 0 && !(shape instanceof Error)) {
    return { topic, value: fieldOf({ shape }), reading: READING, seen: [], notes: recordNotes(records.length, 0, 0, 0) }
  }
  if (filled.length === 0) return undefined

  const codec = registryCodec(registry)
  const writtenAt = filled.map(({ timestamp }) => timestamp)
  // What the registry does not have is left out below, as the gateway would do in the end.
  await codec.prepare?.(bytes, signal, writtenAt)?.catch((error: unknown) => {
    if (!(error instanceof CodecUnavailable)) throw error
    if (!error.isDefinite) throw new InitError(`The registry cannot be asked: ${error.message}`, { cause: error })
  })
  const decoded = decodeAll(filled, codec)
  if (decoded.length === 0) {
    throw new InitError(`No record of the topic "${topic}" can be decoded by the registry ${registry.name}`)
  }
  const unwrapped = unwrap(decoded, READING, codec)
  const { reading, values } = unwrapped ?? { reading: READING, values: decoded }
  const seen = seenOf(values)
  const inferred = () => inferField(seen.map(({ value }) => value), { name: topic, level: 0 }) // biome-ignore format: one line
  const notes = [
    ...(unwrapped?.op === undefined ? [] : [CHANGE_NOTE]),
    ...recordNotes(records.length, filled.length, values.length, seen.length),
  ]
  if (shape instanceof Error) {
    const guess = unwrapped?.op === undefined ? inferred() : changeShape(inferred(), unwrapped.op, values)
    const note = `The registry has no usable subject \`${subject}\`: the shape is that of the records.`
    return { topic, value: guess, reading, seen, notes: [note, ...notes] }
  }
  const value: Field = fieldOf({
    shape: unwrapped?.op === undefined ? shape : shapeOfChange(shape, { op: unwrapped.op, source: false }),
  })
  return { topic, value, reading, seen, notes }
}

/** @throws InitError where the registry cannot be asked; an error that is returned is about the subject. */
async function shapeOf(registry: SchemaRegistry, subject: string): Promise<Shape | Error> {
  try {
    return await registry.shapeOf(subject)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if (error instanceof CodecUnavailable && !error.isDefinite) {
      throw new InitError(`The registry cannot be asked: ${error.message}`, { cause: error })
    }
    return error
  }
}
