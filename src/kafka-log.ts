import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { createKafka, type KafkaLog } from './streams/source/kafka/kafka.ts'

/** The settings of a connection to Kafka. */
export type KafkaConfig = Pick<Config, Extract<keyof Config, `KAFKA_${string}`> | 'INSTANCE_ID'>

/** The Kafka of a configuration that names brokers, with its TLS and SASL. Connections are opened at first use. */
export function kafkaOf(config: KafkaConfig, log: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>): KafkaLog {
  const {
    KAFKA_BROKERS: brokers = [],
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: username = '',
    KAFKA_SASL_PASSWORD: password = '',
  } = config
  return createKafka({
    brokers,
    clientId: `sluice-${config.INSTANCE_ID}`,
    ...(usesTls(config) && { ssl: tlsOptions(config) }),
    ...(mechanism && { sasl: { mechanism, username, password } }),
    ...(config.KAFKA_RACK !== undefined && { rack: config.KAFKA_RACK }),
    log: (level, message, extra) => log[level](extra, message),
  })
}

function usesTls(config: KafkaConfig): boolean {
  return config.KAFKA_SSL || config.KAFKA_SSL_CA !== undefined || config.KAFKA_SSL_CERT !== undefined
}

function tlsOptions({ KAFKA_SSL_CA: ca, KAFKA_SSL_CERT: cert, KAFKA_SSL_KEY: key }: KafkaConfig) {
  return ca || cert ? { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } : true
}
