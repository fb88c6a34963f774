import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A registry of the test's own, which answers as it is told to: well, badly, slowly, or not at all. */
export interface FakeRegistry extends AsyncDisposable {
  readonly url: string
  /** By id, the bodies that it answers with. */
  readonly schemas: Map<number, object>
  /** By `SUBJECT/VERSION`. */
  readonly versions: Map<string, object>
  subjects: readonly string[]
  /** The paths that were asked for. */
  readonly asked: string[]
  readonly headers: IncomingMessage['headers'][]
  /** Answers in its place, where it is set. */
  answer: Answer | undefined
  /** Refuses connections until `start`. */
  stop(): Promise<void>
  start(): Promise<void>
}

export const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(body))
}

export async function fakeRegistry(): Promise<FakeRegistry> {
  const schemas = new Map<number, object>()
  const versions = new Map<string, object>()
  const asked: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    headers.push(request.headers)
    if (registry.answer) return registry.answer(request, response)
    if (path === '/subjects') return json(response, registry.subjects)
    const id = /^\/schemas\/ids\/(\d+)$/.exec(path)?.[1]
    const version = /^\/subjects\/([^/]+)\/versions\/([^/]+)$/.exec(path)
    const found =
      id === undefined
        ? version && versions.get(`${decodeURIComponent(version[1] as string)}/${version[2]}`)
        : schemas.get(Number(id))
    if (found) json(response, found)
    else json(response, { error_code: id === undefined ? 40401 : 40403, message: 'not found' }, 404)
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  const registry: FakeRegistry = {
    url: `http://127.0.0.1:${port}`,
    schemas,
    versions,
    subjects: ['a-subject'],
    asked,
    headers,
    answer: undefined,
    stop,
    start: () => listen(port),
    [Symbol.asyncDispose]: stop,
  }
  return registry
}

/** A value in Confluent's wire format. */
export function framed(id: number, bytes: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(id, 1)
  return Buffer.concat([header, bytes])
}
