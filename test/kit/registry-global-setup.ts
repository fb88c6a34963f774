import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { type Registry, registryMissing, startRegistry } from '../../deploy/registry/registry.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for the address of the run's schema registry, or the sentence that says why there is none. */
    registry: { readonly askAt: string } | { readonly missing: string }
  }
}

/** One schema registry for the whole run, started when the first test asks for it, and stopped at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const missing = await registryMissing({ fetch: false })
  if (missing !== null) {
    project.provide('registry', { missing })
    return async () => {}
  }

  let registry: Promise<Registry> | undefined
  const server = createServer((_request, response) => {
    registry ??= startRegistry()
    registry.then(
      ({ url }) => response.end(url),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  project.provide('registry', { askAt: `http://127.0.0.1:${port}/` })

  return async () => {
    server.close()
    await (await registry?.catch(() => undefined))?.stop()
  }
}
