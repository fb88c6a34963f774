import { cpus } from 'node:os'

/** What kind of machine this is, and when. */
export function machine(): string {
  const all = cpus()
  return `${all[0]?.model.trim()}, ${all.length} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
}
