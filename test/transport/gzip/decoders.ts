import { spawn } from 'node:child_process'
import { get } from 'node:http'
import { get as getSecurely } from 'node:https'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import type { Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

/** A real decoder of a compressed stream, until the test ends. */
export interface Decoder {
  readonly name: string
  /** What it has output so far. */
  text(): string | Promise<string>
}

export const QUERY = 'subscription { ordersByRegion(region: EUROPE) { id city country total { amount currency } } }'
const addressOf = (graphql: string): string => `${graphql}?${new URLSearchParams({ query: QUERY })}`

/** A program that prints what it decodes. */
function printed(name: string, program: string, args: readonly string[]): Decoder {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return { name, text: () => text }
}

export function curl(graphql: string): Decoder {
  const options = ['--silent', '--no-buffer', '--insecure', '--compressed', '--header', 'accept: text/event-stream']
  return printed('curl', 'curl', [...options, addressOf(graphql)])
}

export const python = (graphql: string): Decoder =>
  printed('Python', 'python3', [join(import.meta.dirname, 'decode.py'), addressOf(graphql)])

export const java = (graphql: string): Decoder =>
  printed('Java', 'java', [join(import.meta.dirname, 'Decode.java'), addressOf(graphql)])

export function nodeFetch(graphql: string): Decoder {
  let text = ''
  const leave = new AbortController()
  onTestFinished(() => leave.abort())
  const read = async () => {
    const headers = { accept: 'text/event-stream' }
    const response = await fetch(addressOf(graphql), { headers, signal: leave.signal })
    if (response.headers.get('content-encoding') !== 'gzip') throw new Error('Not compressed')
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk)
  }
  void read().catch(() => {}) // the test sees what did not come
  return { name: 'fetch', text: () => text }
}

export function nodeZlib(graphql: string): Decoder {
  let text = ''
  const headers = { accept: 'text/event-stream', 'accept-encoding': 'gzip' }
  const ask = graphql.startsWith('https:') ? getSecurely : get
  const request = ask(addressOf(graphql), { headers, rejectUnauthorized: false } as object, (response) => {
    if (response.headers['content-encoding'] !== 'gzip') return
    response.pipe(createGunzip()).on('data', (chunk: Buffer) => {
      text += chunk
    })
  })
  request.on('error', () => {})
  onTestFinished(() => void request.destroy())
  return { name: 'zlib', text: () => text }
}

/** Both in one page: a native EventSource, and fetch. */
export async function inPage(page: Page, graphql: string): Promise<Decoder[]> {
  await page.evaluate((url) => {
    const texts = { source: '', fetch: '' }
    Object.assign(window, { texts })
    new EventSource(url).addEventListener('next', ({ data }) => {
      texts.source += data
    })
    void fetch(url, { headers: { accept: 'text/event-stream' } }).then(async ({ body }) => {
      const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
      for (let read = await reader.read(); !read.done; read = await reader.read()) texts.fetch += read.value
    })
  }, addressOf(graphql))
  const text = (which: 'source' | 'fetch') =>
    page.evaluate((name) => (window as never as { texts: Record<string, string> }).texts[name] as string, which)
  return [
    { name: "Chromium's EventSource", text: () => text('source') },
    { name: "Chromium's fetch", text: () => text('fetch') },
  ]
}
