import { describe, expect, test } from 'vitest'
import { createResumingFetch, type ResumingFetch } from '../../packages/client/src/index.ts'
import { asking, Body, COMPLETE, cannedFetch, OPENING, result } from './canned.ts'

const URL = 'http://gateway/graphql'

/** Reads blocks until the stream ends, breaks, or has given this many. */
async function read(response: Response, blocks = Number.POSITIVE_INFINITY): Promise<string> {
  const reader = response.body!.getReader()
  let text = ''
  try {
    for (let i = 0; i < blocks; i++) {
      const { done, value } = await reader.read()
      if (done) break
      text += new TextDecoder().decode(value)
    }
  } catch {
    text += '(broken)'
  }
  reader.releaseLock()
  return text
}

async function readAll(fetch: ResumingFetch, init: RequestInit): Promise<string> {
  return read(await fetch(URL, init))
}

describe('by the signal of its requests', () => {
  test('a subscription is asked for again from where it was', async () => {
    const { fetch, lastEventIds } = cannedFetch(
      new Body(OPENING + result(1)).end(),
      new Body(result(2)).end(),
      new Body(result(3)).end(),
    )
    const resuming = createResumingFetch({ fetch })
    const { signal } = new AbortController()
    for (let i = 0; i < 3; i++) await readAll(resuming, asking({ signal }))
    expect(lastEventIds).toEqual([null, '1', '2'])
  })

  test('two equal subscriptions at once keep their own positions', async () => {
    const { fetch, lastEventIds } = cannedFetch(
      new Body(OPENING + result(1)).end(),
      new Body(OPENING + result(1) + result(2)).end(),
      new Body(result(2)).end(),
      new Body(result(3)).end(),
    )
    const resuming = createResumingFetch({ fetch })
    const [a, b] = [new AbortController().signal, new AbortController().signal]
    const streams = [await resuming(URL, asking({ signal: a })), await resuming(URL, asking({ signal: b }))]
    await Promise.all(streams.map((stream) => read(stream)))
    await Promise.all([readAll(resuming, asking({ signal: a })), readAll(resuming, asking({ signal: b }))])
    expect(lastEventIds).toEqual([null, null, '1', '2'])
  })

  test('two different ones under one signal keep theirs, by their bodies, or their URLs', async () => {
    const { fetch, lastEventIds } = cannedFetch(() => new Body(OPENING + result(lastEventIds.length)).end())
    const resuming = createResumingFetch({ fetch })
    const { signal } = new AbortController()
    const requests: [string, RequestInit][] = [
      [URL, asking({ signal, body: 'a' })],
      [URL, asking({ signal, body: 'b' })],
      [`${URL}?query=a`, asking({ signal, method: 'GET', body: null })],
      [`${URL}?query=b`, asking({ signal, method: 'GET', body: null })],
    ]
    for (const [url, init] of [...requests, ...requests]) await read(await resuming(url, init))
    expect(lastEventIds).toEqual([null, null, null, null, '1', '2', '3', '4'])
  })

  test('two equal ones under one signal at one time: the second is refused, the first is well', async () => {
    const second = new Body(OPENING)
    const { fetch, signals } = cannedFetch(new Body(OPENING + result(1)).end(), second)
    const resuming = createResumingFetch({ fetch })
    const { signal } = new AbortController()
    const first = await resuming(URL, asking({ signal }))
    await expect(resuming(URL, asking({ signal }))).rejects.toMatchObject({ code: 'ALREADY_OPEN' })
    expect(signals[1]?.aborted).toBe(true)
    expect(await read(first)).toBe(OPENING + result(1))
  })

  test('two equal requests under one signal that get no stream are no matter', async () => {
    const { fetch } = cannedFetch(() => Response.json({ data: {} }))
    const resuming = createResumingFetch({ fetch })
    const { signal } = new AbortController()
    const answers = await Promise.all([resuming(URL, asking({ signal })), resuming(URL, asking({ signal }))])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
  })

  test('a request with no signal is not resumed, since nobody knows whose it is', async () => {
    const { fetch, lastEventIds } = cannedFetch(() => new Body(OPENING + result(1)).end())
    const resuming = createResumingFetch({ fetch })
    await readAll(resuming, asking())
    await readAll(resuming, asking())
    expect(lastEventIds).toEqual([null, null])
  })

  test('a Request is known by its signal too, unless it has a body, which cannot be looked at', async () => {
    const { fetch, lastEventIds } = cannedFetch(() => new Body(OPENING + result(1)).end())
    const resuming = createResumingFetch({ fetch })
    const get = new Request(URL, { headers: { accept: 'text/event-stream' } })
    await read(await resuming(get))
    await read(await resuming(get))
    const { signal } = new AbortController()
    await read(await resuming(new Request(URL, asking()), { signal }))
    await read(await resuming(new Request(URL, asking()), { signal }))
    expect(lastEventIds).toEqual([null, '1', null, null])
  })
})

describe('by a handle', () => {
  test('all its requests are one subscription, whatever their signals and bodies', async () => {
    const { fetch, lastEventIds } = cannedFetch(() => new Body(result(lastEventIds.length)).end())
    const subscription = createResumingFetch({ fetch }).subscription()
    expect(subscription.lastEventId).toBe('')
    await read(await subscription.fetch(URL, asking()))
    await read(await subscription.fetch(URL, asking({ body: 'another', signal: new AbortController().signal })))
    await read(await subscription.fetch(`${URL}?query=c`, { headers: { accept: 'text/event-stream' } }))
    expect(lastEventIds).toEqual([null, '1', '2'])
    expect(subscription.lastEventId).toBe('3')
  })

  test('begins at a position that was kept elsewhere, in any script', async () => {
    const { fetch, lastEventIds } = cannedFetch(() => new Body(OPENING).end())
    const resuming = createResumingFetch({ fetch })
    await read(await resuming.subscription('AQEp').fetch(URL, asking()))
    await read(await resuming.subscription('é東').fetch(URL, asking()))
    expect(lastEventIds[0]).toBe('AQEp')
    expect(Buffer.from(lastEventIds[1] ?? '', 'latin1').toString()).toBe('é東') // WHATWG: the bytes of its UTF-8
  })

  test('a stream that was aborted is no open one, and what it still holds counts no more', async () => {
    const { fetch, lastEventIds } = cannedFetch(
      new Body(OPENING + result(1) + result(2)),
      new Body(result(1) + result(2) + result(3)).end(),
    )
    const subscription = createResumingFetch({ fetch }).subscription()
    const control = new AbortController()
    const first = await subscription.fetch(URL, asking({ signal: control.signal }))
    expect(await read(first, 2)).toBe(OPENING + result(1))
    await expect(subscription.fetch(URL, asking())).rejects.toMatchObject({ code: 'ALREADY_OPEN' })
    control.abort()
    const second = await subscription.fetch(URL, asking())
    await read(first, 1)
    expect(subscription.lastEventId).toBe('0')
    await read(second)
    expect(lastEventIds).toEqual([null, null, '0'])
    expect(subscription.lastEventId).toBe('3')
  })
})

describe('the position', () => {
  const positionAfter = async (...blocks: string[]) => {
    const { fetch } = cannedFetch(new Body(...blocks).end())
    const subscription = createResumingFetch({ fetch }).subscription()
    await read(await subscription.fetch(URL, asking()))
    return subscription.lastEventId
  }

  test.each([
    ['moves with blocks that have only an id', 'id: 7\n\n', '7'],
    ['stays where a block has none', 'id: 7\n\ndata: x\n\n', '7'],
    ['is not moved by an id with NUL', 'id: 7\n\nid: 8\0\n\n', '7'],
    ['is taken back by an empty id', 'id: 7\n\nid\n\n', ''],
    ['is not moved by a block that was cut', `id: 7\n\n${result(8).slice(0, -1)}`, '7'],
    ['is not moved by a block that was cut in its id', 'id: 7\n\nid: 1234', '7'],
    ['is forgotten after complete', `id: 7\n\n${COMPLETE}`, ''],
    ['is kept when one operation of several completes', 'id: 7\n\nevent: complete\ndata: {"id":"x"}\n\n', '7'],
    ['is forgotten with a refusal', `id: 7\n\nevent: next\ndata: {"errors":[{}]}\n\n${COMPLETE}`, ''],
  ])('%s', async (_what, stream, position) => {
    expect(await positionAfter(stream)).toBe(position)
    expect(await positionAfter(...stream)).toBe(position)
  })

  test('is that of a block only when the next one is asked for', async () => {
    const { fetch } = cannedFetch(new Body(result(1) + result(2) + result(3)))
    const subscription = createResumingFetch({ fetch }).subscription()
    const reader = (await subscription.fetch(URL, asking())).body!.getReader()
    await reader.read()
    expect(subscription.lastEventId).toBe('')
    await reader.read()
    expect(subscription.lastEventId).toBe('1')
    await reader.cancel()
    expect(subscription.lastEventId).toBe('1')
  })

  test('outlives answers that are none: failures, and pages that something on the way put in', async () => {
    const { fetch, lastEventIds } = cannedFetch(
      new Body(result(1)).end(),
      new TypeError('fetch failed'),
      new Response('busy', { status: 503 }),
      new Response('<p>Pay for this network</p>', { headers: { 'content-type': 'text/html' } }),
      new Body(result(2)).end(),
    )
    const resuming = createResumingFetch({ fetch })
    const { signal } = new AbortController()
    for (let i = 0; i < 5; i++) await readAll(resuming, asking({ signal })).catch(() => {})
    expect(lastEventIds).toEqual([null, '1', '1', '1', '1'])
  })

  test('is dropped by a cursor that the gateway refuses, whose error its client is told', async () => {
    const refusal = 'event: next\ndata: {"errors":[{"message":"no","extensions":{"code":"CURSOR_INVALID"}}]}\n\n'
    const { fetch, lastEventIds } = cannedFetch(
      new Body(result(1)).end(),
      new Body(refusal + COMPLETE).end(),
      new Body(OPENING).end(),
    )
    const resuming = createResumingFetch({ fetch })
    const { signal } = new AbortController()
    await readAll(resuming, asking({ signal }))
    expect(await readAll(resuming, asking({ signal }))).toContain('CURSOR_INVALID')
    await readAll(resuming, asking({ signal }))
    expect(lastEventIds).toEqual([null, '1', null])
  })
})
