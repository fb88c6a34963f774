import { Gauge, type Registry } from 'prom-client'
import { VERSION } from '../version.ts'

/** Which gateway it is that runs: 1, with the versions as labels. */
export function addBuild(registry: Registry): void {
  const gauge: Gauge = new Gauge({
    name: 'sluice_build_info',
    help: 'The version of the gateway, and that of Node.',
    labelNames: ['version', 'node'],
    registers: [registry],
    collect: () => gauge.set({ version: VERSION, node: process.versions.node }, 1),
  })
}
