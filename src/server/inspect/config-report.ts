import type { Config } from '../../config.ts'

/** Texts that are shown as they are. Of all others, and of what is added one day, it is only said that they are set. */
const SHOWN = new Set<string>([
  'HOST',
  'LISTEN_SOCKET',
  'ADMIN_HOST',
  'ADMIN_HOSTS',
  'KAFKA_BROKERS',
  'KAFKA_RACK',
  'KAFKA_SASL_MECHANISM',
  'INSTANCE_ID',
  'COMPRESSION',
  'TRUSTED_PROXIES',
  'CORS_ORIGINS',
  'AUTH_ALGORITHMS',
  'CONTROL_TOPIC',
  'USAGE_TOPIC',
  'PERSISTED_OPERATIONS',
  'LOG_LEVEL',
])

type Shown = string | number | boolean | readonly string[]

/** The configuration at the start, by variable, without secrets. */
export function reportConfig(config: Config): Record<string, Shown> {
  const shown: Record<string, Shown> = {}
  for (const [name, value] of Object.entries(config)) {
    if (value === undefined) continue
    shown[name] = typeof value === 'number' || typeof value === 'boolean' || SHOWN.has(name) ? value : '(set)'
  }
  return shown
}
