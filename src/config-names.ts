/**
 * Kubernetes sets such variables for every service, and Docker for every link, by its name: for a service named `kafka`
 * KAFKA_PORT, KAFKA_SERVICE_HOST, KAFKA_PORT_9092_TCP_ADDR and more.
 */
const OF_SERVICES = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)|_ENV_/
const SERVICE_URL = /^(tcp|udp|sctp):\/\//
/** Variables of a broker's image and scripts, which may be set in the same environment, and of our tests. */
const OF_OTHERS =
  /^(KAFKA_(HOME|VERSION|CLUSTER_ID|NODE_ID|BROKER_ID|OPTS|\w+_OPTS|HEAP\w*|JMX_\w+|CFG_\w+|PROCESS_ROLES|LISTENER\w*|ADVERTISED_\w+|CONTROLLER_\w+|INTER_BROKER_\w+|ZOOKEEPER_\w+|LOG_\w+|OFFSETS_\w+|TRANSACTION_\w+|GROUP_\w+|AUTO_\w+|NUM_\w+|DEFAULT_\w+|DELETE_\w+)|SLUICE_(LONG|CACHE))$/
const OWN_PREFIX = 'SLUICE_'
const KAFKA_PREFIX = 'KAFKA_'
/** Names that other programs use for them. */
const SYNONYMS: Readonly<Record<string, string>> = {
  KAFKA_BOOTSTRAP_SERVERS: 'KAFKA_BROKERS',
  KAFKA_BOOTSTRAP_SERVER: 'KAFKA_BROKERS',
  KAFKA_BROKER_LIST: 'KAFKA_BROKERS',
  KAFKA_SERVERS: 'KAFKA_BROKERS',
  KAFKA_HOSTS: 'KAFKA_BROKERS',
  KAFKA_URL: 'KAFKA_BROKERS',
  KAFKA_TLS: 'KAFKA_SSL',
  KAFKA_USERNAME: 'KAFKA_SASL_USERNAME',
  KAFKA_SASL_USER: 'KAFKA_SASL_USERNAME',
  KAFKA_PASSWORD: 'KAFKA_SASL_PASSWORD',
}
/** Shorter names, PORT and HOST, are within a few letters of many words. */
const MIN_SIMILAR_CHARS = 8
const MAX_EDITS = 2
/** Longer names are no misspelling of ours, and the cost of a comparison grows with the length. */
const MAX_NAME_CHARS = 64

export interface Misspelling {
  readonly name: string
  /** The variable that it resembles; undefined: it only has the prefix of ours for Kafka. */
  readonly meant: string | undefined
}

/**
 * Variables that resemble one of `known` that is not set: in another case, with the program's name as a prefix, by
 * another program's name for it, or one or two letters different. Variables of other software are excluded.
 */
export function misspellings(given: ReadonlyMap<string, string>, known: readonly string[]): Misspelling[] {
  const found: Misspelling[] = []
  for (const [name, value] of given) {
    if (known.includes(name) || name.length > MAX_NAME_CHARS || isOfOthers(name, value)) continue
    const text = name.toUpperCase().replaceAll(/[-.\s]/g, '_')
    const own = text.startsWith(OWN_PREFIX) ? text.slice(OWN_PREFIX.length) : text
    const meant = meantBy(own, known)
    if (meant !== undefined ? !given.has(meant) : text.startsWith(KAFKA_PREFIX)) found.push({ name, meant })
  }
  return found
}

function isOfOthers(name: string, value: string): boolean {
  if (name.endsWith('_PORT') && SERVICE_URL.test(value)) return true
  if (name.endsWith('_NAME') && value.startsWith('/')) return true
  return OF_SERVICES.test(name) || OF_OTHERS.test(name)
}

function meantBy(text: string, known: readonly string[]): string | undefined {
  if (known.includes(text)) return text
  if (Object.hasOwn(SYNONYMS, text)) return SYNONYMS[text]
  let nearest: string | undefined
  let least = MAX_EDITS + 1
  for (const name of known) {
    if (name.length < MIN_SIMILAR_CHARS || Math.abs(name.length - text.length) >= least) continue
    const edits = editsBetween(name, text)
    if (edits < least) [nearest, least] = [name, edits]
  }
  return nearest
}

/** Edit distance: insertions, deletions, replacements and transpositions (optimal string alignment). */
function editsBetween(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1)
      row.push(edits)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
