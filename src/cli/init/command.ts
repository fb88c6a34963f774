import { Command, InvalidArgumentError } from 'commander'
import { kafkaOf } from '../../kafka-log.ts'
import { schemaRegistry } from '../../streams/topic/codecs/registry/schema-registry.ts'
import { configOf } from '../config-of.ts'
import { type Initialised, init } from './init.ts'
import { InitError } from './init-error.ts'

/** Kafka's rule for topic names. */
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/

interface Options {
  readonly brokers?: string
  readonly topics: readonly string[]
  readonly registry?: string
}

/** `sluice init`: a project that serves topics as they are. */
export function initCommand(): Command {
  return new Command('init')
    .description('write a project that serves these topics, from what their newest records look like')
    .argument('<dir>', 'the folder of the project; what is there stays as it is')
    .option('--brokers <list>', 'host:port, comma separated; by default KAFKA_BROKERS')
    .requiredOption('--topics <list>', 'names of topics, comma separated', topicNames)
    .option('--registry <url>', 'the schema registry of topics in Avro, Protobuf or JSON Schema', registryUrl)
    .addHelpText(
      'after',
      '\nTLS and SASL are set as for `start`: KAFKA_SSL…, KAFKA_SASL_…. Credentials of the registry:\nSCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD.',
    )
    .action(run)
}

function topicNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim()).filter((name) => name !== '') // biome-ignore format: one line
  const wrong = names.find((name) => !TOPIC_NAME.test(name) || name === '.' || name === '..')
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is not the name of a topic.`)
  if (names.length === 0) throw new InvalidArgumentError('There is no topic in it.')
  return names
}

function registryUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text
  throw new InvalidArgumentError('It is no address: http://host:port, with a path if there is one.')
}

async function run(folder: string, options: Options): Promise<void> {
  const stop = new AbortController()
  // Reading ends; writing takes a moment, and is not left half done.
  const onSignal = () => stop.abort(new InitError('Interrupted: nothing was written'))
  process.once('SIGINT', onSignal)
  try {
    report(await initialise(folder, options, stop.signal), folder)
  } finally {
    process.off('SIGINT', onSignal)
  }
}

async function initialise(folder: string, options: Options, signal: AbortSignal): Promise<Initialised> {
  const brokers = options.brokers ?? process.env.KAFKA_BROKERS
  if (!brokers) throw new InitError('Say where Kafka is: --brokers host:port, or KAFKA_BROKERS')
  const config = configOf({ ...process.env, KAFKA_BROKERS: brokers })
  const silent = () => {} // what a topic waits for is in the error that ends the command
  const kafka = kafkaOf(config, { debug: silent, info: silent, warn: silent, error: silent })
  try {
    return await init({
      folder,
      topics: options.topics,
      source: kafka.source,
      brokers,
      registry: registryOf(options.registry),
      signal,
      tell: (line) => console.log(line),
    })
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    await kafka.close()
  }
}

function registryOf(url: string | undefined) {
  if (url === undefined) return undefined
  const { SCHEMA_REGISTRY_USERNAME: username, SCHEMA_REGISTRY_PASSWORD: password = '' } = process.env
  return { url, registry: schemaRegistry({ url, ...(username !== undefined && { username, password }) }) }
}

function report({ written, kept, remarks }: Initialised, folder: string): void {
  console.log(`\n${written.length} files written in ${folder}`)
  if (kept.length > 0) console.log(`These were there, and have stayed as they are: ${kept.join(', ')}`)
  for (const remark of remarks) console.log(remark)
  const enter = folder === '.' ? '' : `cd ${folder} && `
  console.log(`\nNext: ${enter}npm install && npm test && npm start. README.md says what to look at first.`)
}
