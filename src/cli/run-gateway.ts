/** The process: configuration, log, signals, exit codes. The server is in gateway.ts. */
import { inspect, parseArgs } from 'node:util'
import type { Logger } from 'pino'
import { type Config, ConfigError, configWarnings, readConfig } from '../config.ts'
import type { GatewayDefinition } from '../definition.ts'
import { logError } from '../errors/faults.ts'
import { RateLimit } from '../errors/rate-limit.ts'
import { startGateway } from '../gateway.ts'
import { createLog } from '../log.ts'

const USAGE = `Usage: npm start [-- --check-config]

  --check-config   read the configuration, say whether it is valid, and end
  --help           this text

Everything is set by environment variables: see the table in README.md.`

/**
 * Shutdown timeout beyond `DRAIN_MS`: 5 s for streams whose clients read no more bytes, and as much again for pending
 * requests and for Kafka.
 */
const SHUTDOWN_GRACE_MS = 10_000
/** Without Kafka for this long at the start, it listens, to answer with the reason. */
const LISTEN_WITHIN_MS = 10_000
/** Rate limit of log lines about unhandled rejections: a resolver may cause one for every event. */
const REJECTIONS_LOG_MS = 10_000
/** One Ctrl-C may arrive twice: from the terminal, and forwarded by npm. */
const SAME_SIGNAL_MS = 100

/** Runs a gateway in this process until a signal, by the environment's configuration. `args` are those of the command. */
export async function runGateway(definition: GatewayDefinition, args: readonly string[] = []): Promise<void> {
  try {
    const options = { 'check-config': { type: 'boolean' }, help: { type: 'boolean' } } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help) return console.log(USAGE)
    const config = readConfig(process.env)
    const warnings = configWarnings(process.env)
    if (!values['check-config']) return await run(definition, config, warnings)
    for (const warning of warnings) console.error(`Warning: ${warning}`)
    console.log('The configuration is valid')
  } catch (error) {
    const known = error instanceof ConfigError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
    console.error(known ? (error as Error).message : error)
    process.exitCode = 1
  }
}

async function run(definition: GatewayDefinition, config: Config, warnings: readonly string[]): Promise<void> {
  const log = createLog(config)
  endOnFatal(log)
  for (const warning of warnings) log.warn(warning)
  // The embedded log is available at once.
  const wait = config.KAFKA_BROKERS !== undefined && { listenWithinMs: LISTEN_WITHIN_MS }
  const leaveEarly = (): never => process.exit(0) // it has no clients yet
  process.on('SIGINT', leaveEarly)
  process.on('SIGTERM', leaveEarly)
  const gateway = await startGateway({ ...definition, config, log, ...wait }).catch((error: Error) => {
    log.fatal(error.message)
    process.exitCode = 1
  })
  process.off('SIGINT', leaveEarly)
  process.off('SIGTERM', leaveEarly)
  if (!gateway) return

  const { url, adminUrl } = gateway
  const source = config.KAFKA_BROKERS
    ? `Kafka at ${config.KAFKA_BROKERS}`
    : definition.demoFeed
      ? `the embedded log, ${config.DEMO_RATE} demo events a second`
      : 'the embedded log, which is empty at first'
  const page = definition.pages !== undefined && config.LIVE_MAP && URL.canParse(url) && { page: `${url}/` }
  log.info({ ...page, graphql: `${url}/graphql`, admin: adminUrl, source }, 'Sluice is listening')

  const limitMs = config.DRAIN_MS + SHUTDOWN_GRACE_MS
  let askedAt = Number.NaN
  const stop = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (now - askedAt < SAME_SIGNAL_MS) return
    log.info({ signal }, 'Stopping')
    // A second signal ends the process at once.
    if (!Number.isNaN(askedAt)) process.exit(1)
    askedAt = now
    setTimeout(() => {
      log.error(`Not stopped within ${limitMs} ms: ending as it is`)
      process.exit(1)
    }, limitMs).unref()
    void gateway.close(config.DRAIN_MS).then(() => log.info('Stopped'))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

/**
 * An uncaught exception may have left an inconsistent state: the process logs a fatal line and exits, and a supervisor
 * restarts it. An unhandled rejection has not: it is a promise without a handler, of a resolver or another part, and
 * the process continues.
 */
function endOnFatal(log: Logger): void {
  const rejections = new RateLimit(REJECTIONS_LOG_MS)
  process.on('unhandledRejection', (reason: unknown) => {
    const error = reason instanceof Error ? reason : new Error(`Rejected with: ${inspect(reason)}`)
    rejections.tell((unlogged) => logError(log, error, { unlogged }, 'A promise was rejected that nobody handles'))
  })
  process.on('uncaughtException', (error: unknown, origin) => {
    const message = 'The process cannot go on, and ends'
    try {
      // Written synchronously, as pino does for `fatal`.
      log.fatal({ err: error instanceof Error ? error : new Error(`Thrown: ${inspect(error)}`), origin }, message)
    } catch {
      log.fatal({ origin, err: { message: 'It cannot be read' } }, message) // one of its getters throws
    } finally {
      process.exit(1)
    }
  })
}
