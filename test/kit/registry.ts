import { randomUUID } from 'node:crypto'
import { beforeAll, describe, inject } from 'vitest'
import { type Registry, type RegistryOptions, startRegistry } from '../../deploy/registry/registry.ts'

/** A schema as it is registered: an Avro one, where no type is named. */
export interface TestSchema {
  readonly schema: string | object
  readonly schemaType?: 'AVRO' | 'PROTOBUF' | 'JSON'
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[]
}

/** What tests do to a registry beside the gateway: as producers of other teams. */
export interface TestRegistry {
  /** The base address; known once the tests run, so use it inside of them. */
  readonly url: string
  /** Registers a version of a subject, and returns the schema's id. */
  register(subject: string, schema: TestSchema): Promise<number>
  /** A name that is used only once. */
  subject(label: string): string
}

/**
 * A block of tests that need a real schema registry: the run's own (Apicurio, by Confluent's interface). Where there is
 * none, it is skipped, and its name says why. With `ownRegistry` the tests start theirs by `startOwnRegistry`.
 */
export function describeRegistry(
  name: string,
  tests: (registry: TestRegistry) => void,
  { ownRegistry = false }: { ownRegistry?: boolean } = {},
): void {
  const provided = inject('registry')
  if ('missing' in provided) {
    describe.skip(`${name} (skipped: ${provided.missing})`, () => tests(testRegistry(() => '')))
    return
  }
  describe(name, () => {
    let url = ''
    beforeAll(async () => {
      if (ownRegistry) return
      const response = await fetch(provided.askAt)
      const body = await response.text()
      if (!response.ok) throw new Error(body)
      url = body
    })
    tests(testRegistry(() => url))
  })
}

/** A registry of the caller's own, to be killed or frozen. */
export async function startOwnRegistry(options?: RegistryOptions): Promise<TestRegistry & { process: Registry }> {
  const registry = await startRegistry(options)
  return { ...testRegistry(() => registry.url), url: registry.url, process: registry }
}

function testRegistry(address: () => string): TestRegistry {
  return {
    get url() {
      return address()
    },
    subject: (label) => `${label}-${randomUUID()}`,
    async register(subject, { schema, ...rest }) {
      const text = typeof schema === 'string' ? schema : JSON.stringify(schema)
      const response = await fetch(`${address()}/subjects/${encodeURIComponent(subject)}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ ...rest, schema: text }),
      })
      const body = await response.text()
      if (!response.ok) throw new Error(`The registry refused a schema of ${subject}: ${body}`)
      return (JSON.parse(body) as { id: number }).id
    },
  }
}
