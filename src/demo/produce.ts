import { createKafka } from 'sluice'
import { type ProduceOptions, parseProduceCommand, USAGE } from './produce-options.ts'
import { runFeed } from './run-feed.ts'

const PROGRESS_MS = 3_000
/** As shells have it for a command that Ctrl-C ended: here, before `--count` was reached. */
const INTERRUPTED = 130

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

async function produce({ brokers, 'sales-topic': salesTopic, ...feed }: ProduceOptions): Promise<void> {
  const interrupt = new AbortController()
  // Once: a second Ctrl-C, when the cluster does not respond, ends the process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort())

  // Failures are reported by `onRetry`; only other messages of the client's log are shown.
  const kafka = createKafka({
    brokers,
    clientId: 'sluice-produce',
    log: (level, message) => level === 'error' && console.error(message),
  })
  const startedAt = performance.now()
  let sent = 0
  const perSecond = (count: number, ms: number) => `${number.format((1_000 * count) / Math.max(ms, 1))} a second`

  let reported = { sent: 0, at: startedAt }
  const progress = setInterval(() => {
    const at = performance.now()
    console.log(`${number.format(sent)} orders sent, ${perSecond(sent - reported.sent, at - reported.at)}`)
    reported = { sent, at }
  }, PROGRESS_MS)

  try {
    await runFeed({
      ...feed,
      salesTopic,
      sink: kafka.sink,
      signal: interrupt.signal,
      onSent: (total) => {
        sent = total
      },
      onRetry: (error, retryInMs) => console.error(`${error.message}; trying again in ${retryInMs / 1_000} s`),
    })
  } finally {
    clearInterval(progress)
    await kafka.close()
  }
  const ms = performance.now() - startedAt
  console.log(
    `${number.format(sent)} orders sent to ${feed.topic} in ${number.format(ms / 1_000)} s, ${perSecond(sent, ms)}`,
  )
  if (feed.count !== undefined && sent < feed.count) process.exitCode = INTERRUPTED
}

const command = parseProduceCommand(process.argv.slice(2))
if (command.kind === 'help') {
  console.log(USAGE)
} else if (command.kind === 'invalid') {
  console.error(`${command.message} (--help shows all options)`)
  process.exitCode = 2
} else {
  await produce(command.options).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  })
}
