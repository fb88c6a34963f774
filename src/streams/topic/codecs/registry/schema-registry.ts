import type { z } from 'zod'
import type { Shape } from '../../shape.ts'
import { type DefinitionShapeOptions, shapeOfDefinition } from '../definition-shape.ts'
import { zodOf } from '../zod-of.ts'
import { completeDefinition, type Definition, Unusable } from './definition.ts'
import { Patience, type PatienceOptions } from './patience.ts'
import { type RegistryAccess, registryAddress } from './registry-address.ts'
import { RegistryClient } from './registry-client.ts'
import { SchemaStore, setStore } from './schema-store.ts'

export interface SchemaRegistryOptions extends RegistryAccess, PatienceOptions {
  /** Limit of the time of one answer; 10 s by default. */
  readonly timeoutMs?: number
}

/** The newest definition of a subject. */
export interface SubjectDefinition extends Definition {
  readonly subject: string
  readonly id: number
  readonly version: number
}

/**
 * A schema registry by Confluent's interface, which Confluent, Karapace, Apicurio and Redpanda have. It is asked when
 * something is needed of it, and has no connection of its own.
 */
export interface SchemaRegistry {
  /** Host and port. */
  readonly name: string
  /** @throws CodecUnavailable; Error where there is no such subject, or its definition cannot be read. */
  definitionOf(subject: string, version?: number): Promise<SubjectDefinition>
  /** The shape of what `registryCodec` makes of the subject's records, by its newest version. */
  shapeOf(subject: string, options?: DefinitionShapeOptions): Promise<Shape>
  /** The same as a zod schema, for `defineTopic`. */
  schemaOf(subject: string, options?: DefinitionShapeOptions): Promise<z.ZodType>
}

/** @throws TypeError for a url that is none. */
export function schemaRegistry(options: SchemaRegistryOptions): SchemaRegistry {
  const address = registryAddress(options)
  const client = new RegistryClient(address, options.timeoutMs)
  const definitionOf = async (subject: string, version?: number): Promise<SubjectDefinition> => {
    const what = `subject "${subject}"`
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version ?? 'latest'}`
    const answer = (await client.ask(path, what)) as Partial<SubjectDefinition>
    const definition = await completeDefinition(client, answer, what)
    if (!Number.isInteger(answer.id) || !Number.isInteger(answer.version)) {
      throw new Unusable(`The answer for ${what} has no id and version`)
    }
    return { ...definition, subject, id: answer.id as number, version: answer.version as number }
  }
  const shapeOf: SchemaRegistry['shapeOf'] = async (subject, shapeOptions) =>
    shapeOfDefinition(await definitionOf(subject), shapeOptions)
  const registry: SchemaRegistry = {
    name: address.name,
    definitionOf,
    shapeOf,
    schemaOf: async (subject, shapeOptions) => zodOf(await shapeOf(subject, shapeOptions)),
  }
  setStore(registry, new SchemaStore(client, new Patience(options)))
  return registry
}
