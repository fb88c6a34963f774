/** Connection settings of a Kafka cluster, and the logger. */
export interface KafkaOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  /** TLS: true for the system's certificate authorities, or options of Node's `tls.connect`, in PEM. */
  readonly ssl?: boolean | TlsOptions
  readonly sasl?: SaslOptions
  /** Where this process is, in the words of the brokers' `broker.rack`: records are fetched from a near replica. */
  readonly rack?: string
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, extra: object) => void
}

export interface TlsOptions {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}
