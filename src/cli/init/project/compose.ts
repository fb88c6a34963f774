/** `compose.yaml`: the gateway; the brokers are elsewhere. */
export function composeSource(usesRegistry: boolean): string {
  const registry = usesRegistry
    ? `\n      SCHEMA_REGISTRY_URL: \${SCHEMA_REGISTRY_URL:?the address of the schema registry}`
    : ''
  return `# docker compose up --build. The variables are those of .env; brokers on this machine are host.docker.internal:9092.
services:
  gateway:
    build: .
    environment:
      KAFKA_BROKERS: \${KAFKA_BROKERS:?host:port of the brokers, comma separated}${registry}
      KAFKA_SASL_MECHANISM: \${KAFKA_SASL_MECHANISM:-}
      KAFKA_SASL_USERNAME: \${KAFKA_SASL_USERNAME:-}
      KAFKA_SASL_PASSWORD: \${KAFKA_SASL_PASSWORD:-}
      # Without credentials of clients a start in production is refused: see the documentation of security.
      ANONYMOUS: \${ANONYMOUS:-true}
    ports:
      - '127.0.0.1:4000:4000'
    extra_hosts:
      - host.docker.internal:host-gateway
    read_only: true
    stop_grace_period: 45s
`
}
