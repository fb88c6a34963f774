import { destination, type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from './config.ts'

/** The process's log: JSON lines; on a terminal, readable ones. */
export function createLog(config: Pick<Config, 'LOG_LEVEL' | 'INSTANCE_ID'>): Logger {
  const options = { level: config.LOG_LEVEL, base: { instance: config.INSTANCE_ID } }
  const toPeople = process.stdout.isTTY
  return toPeople
    ? pino(options, pretty({ ignore: 'pid,hostname,instance', sync: true }))
    : pino(options, destination({ fd: 1 }))
}
