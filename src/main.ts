/** The process: configuration, log, signals, exit codes. What it runs is in gateway.ts. */
import { inspect, parseArgs } from 'node:util'
import { destination, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import { type Config, ConfigError, configWarnings, readConfig } from './config.ts'
import { logError } from './errors/faults.ts'
import { RateLimit } from './errors/rate-limit.ts'
import { startGateway } from './gateway.ts'

const USAGE = `Usage: npm start [-- --check-config]

  --check-config   read the configuration, say whether it is valid, and end
  --help           this text

Everything is set by environment variables: see the table in README.md.`

/**
 * What a shutdown may take beyond `DRAIN_MS`, before it is ended as it is: 5 s for the last streams that take no more
 * bytes, and as much again for requests under way and for Kafka.
 */
const SHUTDOWN_GRACE_MS = 10_000
/** Without Kafka for this long at its start, it lets clients in, to tell them so. Kafka's own join takes 3 s. */
const LISTEN_WITHIN_MS = 10_000
/** A resolver that forgets a promise does so for every event: one line in this time says it. */
const REJECTIONS_LOG_MS = 10_000
/** One Ctrl-C may come twice: from the terminal, and passed on by npm. */
const SAME_SIGNAL_MS = 100

try {
  const { values } = parseArgs({ options: { 'check-config': { type: 'boolean' }, help: { type: 'boolean' } } })
  if (values.help) {
    console.log(USAGE)
  } else {
    const config = readConfig(process.env)
    const warnings = configWarnings(process.env)
    if (values['check-config']) {
      for (const warning of warnings) console.error(`Warning: ${warning}`)
      console.log('The configuration is valid')
    } else await run(config, warnings)
  }
} catch (error) {
  const known = error instanceof ConfigError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
  console.error(known ? (error as Error).message : error)
  process.exitCode = 1
}

async function run(config: Config, warnings: readonly string[]): Promise<void> {
  const log = createLog(config)
  endOnFatal(log)
  for (const warning of warnings) log.warn(warning)
  // The embedded log is there at once.
  const wait = config.KAFKA_BROKERS !== undefined && { listenWithinMs: LISTEN_WITHIN_MS }
  const leaveEarly = (): never => process.exit(0) // it has no clients yet
  process.on('SIGINT', leaveEarly)
  process.on('SIGTERM', leaveEarly)
  const gateway = await startGateway({ config, log, ...wait }).catch((error: Error) => {
    log.fatal(error.message)
    process.exitCode = 1
  })
  process.off('SIGINT', leaveEarly)
  process.off('SIGTERM', leaveEarly)
  if (!gateway) return

  const { url, adminUrl } = gateway
  const source = config.KAFKA_BROKERS
    ? `Kafka at ${config.KAFKA_BROKERS}`
    : `the embedded log, ${config.DEMO_RATE} demo orders a second`
  log.info({ graphql: `${url}/graphql`, admin: adminUrl, source }, 'Sluice is listening')

  const limitMs = config.DRAIN_MS + SHUTDOWN_GRACE_MS
  let askedAt = Number.NaN
  const stop = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (now - askedAt < SAME_SIGNAL_MS) return
    log.info({ signal }, 'Stopping')
    // Whoever asks twice means it.
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
 * An exception that nobody has caught may have left anything half done: one fatal line says it, and a supervisor starts
 * the process again. A rejection that nobody handles has left nothing half done: it is a promise that a resolver or
 * another part made and forgot, which ends nothing.
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
      // Written by the time it returns, as pino does for `fatal`.
      log.fatal({ err: error instanceof Error ? error : new Error(`Thrown: ${inspect(error)}`), origin }, message)
    } catch {
      log.fatal({ origin, err: { message: 'It cannot be read' } }, message) // a getter of it throws
    } finally {
      process.exit(1)
    }
  })
}

/** JSON, a line an event; on a terminal, for people. */
function createLog(config: Config): Logger {
  const options = { level: config.LOG_LEVEL, base: { instance: config.INSTANCE_ID } }
  const toPeople = process.stdout.isTTY
  return toPeople
    ? pino(options, pretty({ ignore: 'pid,hostname,instance', sync: true }))
    : pino(options, destination({ fd: 1 }))
}
