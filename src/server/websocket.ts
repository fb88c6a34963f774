import type { IncomingMessage } from 'node:http'
import { SluiceError } from '../errors/codes.ts'

/** Where a proxy in front has taken the hop-by-hop headers away, these remain of a handshake (RFC 6455 section 4.1). */
const OF_HANDSHAKES = ['sec-websocket-key', 'sec-websocket-version'] as const

/**
 * Refuses the handshake of a WebSocket, at any path. Without a listener for upgrades Node takes it for a request without
 * its upgrade, whose answer would be about something else. Any other `upgrade` (h2c) may be ignored, and is (RFC 9110
 * section 7.8).
 * @throws SluiceError `WEBSOCKET_NOT_SERVED`
 */
export function demandNoWebSocket({ method, headers }: IncomingMessage): void {
  if (method !== 'GET') return
  if (isWebSocket(headers.upgrade) || OF_HANDSHAKES.some((name) => headers[name] !== undefined)) {
    throw new SluiceError('WEBSOCKET_NOT_SERVED')
  }
}

/** A list of protocols, each with a version where it has one. */
function isWebSocket(upgrade = ''): boolean {
  return upgrade.split(',').some((protocol) => protocol.split('/', 1)[0]?.trim().toLowerCase() === 'websocket')
}
