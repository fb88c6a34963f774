import { Command } from 'commander'
import { pino } from 'pino'
import { kafkaOf } from '../kafka-log.ts'
import { MAX_NAMED, type SentLines, sendLines } from '../streams/publish/send-lines.ts'
import type { Topic } from '../streams/topic/topic.ts'
import { type Line, linesOf } from '../transport/lines.ts'
import { CliError } from './cli-error.ts'
import { configOf } from './config-of.ts'
import { loadDefinition } from './load-definition.ts'

interface ProduceOptions {
  readonly brokers?: string
  readonly url?: string
  readonly key?: string
  readonly records?: boolean
  readonly module?: string
}

/** A record's limit by Kafka's default is 1 MiB; a line of JSON may escape every character of it. */
const MAX_LINE_BYTES = 8 * 1024 * 1024
const LINE_END = Buffer.from('\n')

export function produceCommand(): Command {
  return new Command('produce')
    .description('send events to a topic: a line of JSON each, from the standard input')
    .argument('<topic>', 'where they go')
    .option('--brokers <list>', 'brokers as in KAFKA_BROKERS; the other KAFKA_ variables hold, too')
    .option('--url <url>', "admin port of a gateway with an embedded log (default: this machine's, by ADMIN_PORT)")
    .option('--key <property>', "property of the events that is their records' key")
    .option('--records', 'lines are {"key", "value", "headers", "timestamp", "partition"}, of which value is needed')
    .option('--module <module>', 'check and encode events by the topic of this gateway')
    .action(async (topic: string, options: ProduceOptions) => {
      if (options.brokers !== undefined && options.url !== undefined)
        throw new CliError('--brokers and --url exclude each other', 2)
      const environment = { ...process.env, ...(options.brokers !== undefined && { KAFKA_BROKERS: options.brokers }) }
      const config = configOf(environment)
      const toKafka = options.url === undefined && config.KAFKA_BROKERS !== undefined
      const result = toKafka
        ? await toBrokers(topic, options, config)
        : await toGateway(topic, options, options.url ?? `http://127.0.0.1:${config.ADMIN_PORT}`)
      tell(topic, result)
    })
}

async function toBrokers(
  topic: string,
  { key, records = false, module }: ProduceOptions,
  config: ReturnType<typeof configOf>,
): Promise<SentLines> {
  const definition = module === undefined ? undefined : await topicOf(module, topic)
  const kafka = kafkaOf(config, pino({ level: 'silent' }))
  try {
    return await sendLines({
      sink: kafka.sink,
      topic,
      lines: linesOf(process.stdin, MAX_LINE_BYTES),
      format: { isRecord: records, key, topic: definition },
      maxLineBytes: MAX_LINE_BYTES,
    })
  } finally {
    await kafka.close()
  }
}

async function topicOf(module: string, name: string): Promise<Topic> {
  const { topics } = await loadDefinition(module)
  const found = topics.find((topic) => topic.name === name)
  if (found) return found
  throw new CliError(`${module} has no topic "${name}": it has ${topics.map((topic) => topic.name).join(', ')}`)
}

/** The gateway knows its topics: it checks the lines by itself. */
async function toGateway(topic: string, options: ProduceOptions, url: string): Promise<SentLines> {
  if (options.module !== undefined) throw new CliError('--module is for brokers: a gateway knows its own topics', 2)
  const target = URL.parse(`/produce?${new URLSearchParams({ topic })}`, url)
  if (!target) throw new CliError(`${url} is no URL`, 2)
  if (options.key !== undefined) target.searchParams.set('key', options.key)
  if (options.records) target.searchParams.set('records', 'true')
  let sum: SentLines = { sent: 0, refused: 0, reasons: [] }
  // A request has a limit of time, and the input may have none: each chunk of it is a request.
  for await (const lines of linesOf(process.stdin, MAX_LINE_BYTES)) {
    const first = (lines[0] as Line).number
    const part = await post(target, Buffer.concat(lines.flatMap(({ bytes }) => [bytes, LINE_END])))
    const reasons = part.reasons.map(({ line, reason }) => ({ line: first + line - 1, reason }))
    sum = {
      ...part,
      sent: sum.sent + part.sent,
      refused: sum.refused + part.refused,
      reasons: [...sum.reasons, ...reasons].slice(0, MAX_NAMED),
    }
    if (part.failure !== undefined) break
  }
  return sum
}

async function post(target: URL, body: Buffer<ArrayBuffer>): Promise<SentLines> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const answer = await fetch(target, { method: 'POST', headers, body }).catch((error: Error) => {
    const { code } = (error.cause ?? {}) as { code?: string }
    throw new CliError(`No gateway answers at ${target.origin}${code === undefined ? '' : ` (${code})`}`)
  })
  const text = await answer.text()
  if (!answer.ok) throw new CliError(text.trim() || `${target.origin} answers with ${answer.status}`)
  return JSON.parse(text) as SentLines
}

function tell(topic: string, { sent, refused, reasons, failure }: SentLines): void {
  for (const { line, reason } of reasons) console.error(`Line ${line} is refused. ${reason}`)
  if (refused > reasons.length) console.error(`${refused - reasons.length} more lines are refused`)
  console.log(`${sent} records sent to ${topic}${refused > 0 ? `, ${refused} lines refused` : ''}`)
  if (failure !== undefined) throw new CliError(`The rest was not sent: ${failure}`)
  if (refused > 0) process.exitCode = 1
}
