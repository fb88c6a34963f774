import { isFree } from '../kafka/probe.ts'
import type { StackOptions } from './options.ts'

/** What is in the way of a start: something else listens at a port. */
export class PortTaken extends Error {}

export interface GatewayPlace {
  readonly name: string
  /** Undefined: a unix socket is used. */
  readonly port: number | undefined
  readonly adminPort: number
}

export function gatewayPlaces(options: StackOptions): GatewayPlace[] {
  const base = options['base-port']
  return Array.from({ length: options.gateways }, (_each, i) => ({
    name: `gateway-${i + 1}`,
    port: options.sockets ? undefined : base + i + 1,
    adminPort: base + 100 + i + 1,
  }))
}

/** @throws PortTaken with one sentence, for the first port that something else listens at. */
export async function demandPorts(options: StackOptions): Promise<void> {
  const wanted: [port: number | undefined, who: string, option: string][] = [
    [options.port, 'Nginx', '--port'],
    [options['kafka-port'], 'Kafka', '--kafka-port'],
  ]
  for (const { name, port, adminPort } of gatewayPlaces(options)) {
    wanted.push([port, name, '--base-port'], [adminPort, `the admin port of ${name}`, '--base-port'])
  }
  for (const [port, who, option] of wanted) {
    if (port === undefined) continue
    if (wanted.filter(([other]) => other === port).length > 1)
      throw new PortTaken(`Port ${port} is wanted twice: choose others with --port, --kafka-port or --base-port`)
    if (!(await isFree(port)))
      throw new PortTaken(
        `Port ${port} of 127.0.0.1 is in use, and ${who} wants it: end what listens there, or choose with ${option}`,
      )
  }
}
