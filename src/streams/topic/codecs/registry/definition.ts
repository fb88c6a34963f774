import { CodecUnavailable } from '../../codec.ts'
import { NotRegistered, type RegistryClient } from './registry-client.ts'

export type SchemaType = 'AVRO' | 'PROTOBUF' | 'JSON'

/** A schema as a registry has it. */
export interface Definition {
  readonly type: SchemaType
  readonly text: string
  /** What it refers to, each behind what it refers to itself. */
  readonly references: readonly Reference[]
}

export interface Reference {
  /** The name by which it is referred to: a full name in Avro, an import in Protobuf. */
  readonly name: string
  readonly text: string
}

/** What a registry has answered cannot be used, and asking again would bring the same. */
export class Unusable extends Error {
  override readonly name = 'Unusable'
}

/** Limits of all that one schema refers to, directly or not. */
const MAX_REFERENCES = 100
const MAX_BYTES = 8 * 1024 * 1024
const MAX_LEVELS = 32

interface Answer {
  readonly schema?: unknown
  readonly schemaType?: unknown
  readonly references?: unknown
}
interface Named {
  readonly name: string
  readonly subject: string
  readonly version: number
}

/**
 * Completes a registry's answer by what it refers to.
 * @throws CodecUnavailable while that cannot be had; Unusable for an answer that is no definition.
 */
export async function completeDefinition(client: RegistryClient, answer: unknown, what: string): Promise<Definition> {
  const { text, type, references } = read(answer, what)
  const found = new Map<string, Reference>()
  let bytes = text.length
  const add = async (names: readonly Named[], path: readonly string[]): Promise<void> => {
    for (const { name, subject, version } of names) {
      const key = `${subject}:${version}`
      if (path.includes(key)) throw new Unusable(`What ${what} refers to refers to itself`)
      if (found.has(key)) continue
      if (path.length >= MAX_LEVELS || found.size >= MAX_REFERENCES) {
        throw new Unusable(`${sentenceCase(what)} refers to more than ${MAX_REFERENCES} schemas, or too deeply`)
      }
      const inner = read(await referred(client, subject, version), what)
      bytes += inner.text.length
      if (bytes > MAX_BYTES) throw new Unusable(`${sentenceCase(what)} has more than ${MAX_BYTES} bytes`)
      await add(inner.references, [...path, key])
      found.set(key, { name, text: inner.text })
    }
  }
  await add(references, [])
  return { type, text, references: [...found.values()] }
}

/** A reference that is not there is a damaged registry: it refuses to delete what is referred to. */
async function referred(client: RegistryClient, subject: string, version: number): Promise<unknown> {
  const what = `version ${version} of subject "${subject}"`
  try {
    return await client.ask(`/subjects/${encodeURIComponent(subject)}/versions/${version}`, what)
  } catch (error) {
    if (error instanceof NotRegistered) throw new CodecUnavailable(`${error.message}, which another schema refers to`)
    throw error
  }
}

function read(answer: unknown, what: string): { text: string; type: SchemaType; references: readonly Named[] } {
  const { schema, schemaType = 'AVRO', references = [] } = answer as Answer
  if (typeof schema !== 'string') throw new Unusable(`The answer for ${what} has no schema`)
  if (schemaType !== 'AVRO' && schemaType !== 'PROTOBUF' && schemaType !== 'JSON') {
    throw new Unusable(`${sentenceCase(what)} is neither Avro, Protobuf nor JSON Schema`)
  }
  const list: unknown = references ?? []
  if (!Array.isArray(list) || !list.every(isNamed)) throw new Unusable(`The references of ${what} cannot be read`)
  return { text: schema, type: schemaType, references: list }
}

function isNamed(value: unknown): value is Named {
  const { name, subject, version } = (value ?? {}) as Partial<Named>
  return typeof name === 'string' && typeof subject === 'string' && Number.isInteger(version)
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
