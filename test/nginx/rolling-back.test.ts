import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { describeNginx, type NginxKit } from '../kit/nginx.ts'
import { type Behaviour, type StubGateway, startStub } from './stub-gateway.ts'

/** So long an instance that failed is left alone; Nginx counts in whole seconds. */
const MARK_MS = 10_000
const WHOLE_SECONDS_MS = 2_000
const STREAMS = 30

const isStream = ({ url }: { url?: string | undefined }) => url === '/graphql'
/** Streams that never end, and other requests that do. */
const does: Behaviour = (request, response) => {
  if (isStream(request)) response.writeHead(200, { 'content-type': 'text/event-stream' }).write('id: 1\ndata:\n\n')
  else response.end('{}')
}

/** Three instances, of which one has been away and is back; `open` opens streams one after the other. */
async function oneIsBack(nginx: NginxKit) {
  const socket = nginx.socket('back')
  const leaving = await startStub('back', { socket, does })
  const others = [await startStub('other-1', { does }), await startStub('other-2', { does })]
  const front = await nginx.start({ instances: [leaving.instance, ...others.map(({ instance }) => instance)] })
  const leave = new AbortController()
  onTestFinished(() => leave.abort())
  const answers: Response[] = [] // held, for the stream of one that is collected as garbage ends
  const open = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const answer = await fetch(front.graphql, { signal: leave.signal })
      expect(answer.status).toBe(200)
      answers.push(answer)
    }
  }
  await leaving.close()
  await open(STREAMS)
  const back = await startStub('back', { socket, does })
  await delay(MARK_MS + WHOLE_SECONDS_MS)
  return { front, back, open }
}

const streamsOf = ({ seen }: StubGateway) => seen.filter(isStream).length

describeNginx('an instance that is back', (nginx) => {
  // Nginx takes it for sound when a request that it was tried with has ended, and a stream does not end.
  test('gets one stream in 10 s where nothing but streams is asked, and its share when a short request was', async () => {
    const [onlyStreams, short] = await Promise.all([oneIsBack(nginx), oneIsBack(nginx)])
    await onlyStreams.open(STREAMS)
    expect(await (await fetch(`${short.front.graphql}?query={__typename}`)).text()).toBe('{}')
    await short.open(STREAMS)
    const counts = [streamsOf(onlyStreams.back), streamsOf(short.back)]
    console.log(`of ${STREAMS} new streams the one that is back got ${counts[0]}, after a short request ${counts[1]}`)
    expect(counts[0]).toBeLessThanOrEqual(2) // a busy machine
    expect(counts[1]).toBeGreaterThan(STREAMS / 2)
  })
})
