import { randomBytes } from 'node:crypto'
import { runTool } from './tool.ts'

/** A KRaft cluster id is 16 random bytes in base64url. */
export function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A')
}

/**
 * Formats the data folders of a node.
 * @param more further arguments, such as `--add-scram`
 */
export async function formatStorage(clusterId: string, config: string, more: readonly string[] = []): Promise<void> {
  const { code, stdout, stderr } = await runTool('kafka.tools.StorageTool', [
    ...['format', '-t', clusterId, '-c', config],
    ...more,
  ])
  if (code !== 0) throw new Error(`Kafka's storage was not formatted: ${stderr || stdout}`)
}
