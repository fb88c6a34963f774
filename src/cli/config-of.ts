import { type Config, readConfig } from '../config.ts'

/**
 * The configuration for a command that serves nobody: what production asks of a gateway is not asked of it.
 * @throws ConfigError for invalid values.
 */
export function configOf(environment: Readonly<Record<string, string | undefined>>): Config {
  return readConfig({ ...environment, NODE_ENV: undefined }, { embedded: true })
}
