/** A label of DNS, which is the limit of what Kubernetes makes of a deployment's or a set's name for a pod. */
const MAX_CHARS = 63

/**
 * The name of an instance (`INSTANCE_ID`): a pod's name fits, dots included. Stream tokens are `INSTANCE.RANDOM`. A
 * name may have dots because the random part has none: the last dot of a token ends its name. It needs no encoding in a
 * URL or in Nginx's map.
 */
export const INSTANCE_NAME = /^(?=.{1,63}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/

/** Of the machine (a container's is its pod's name) and the process, since several may run on one machine. */
export function madeUpInstanceName(host: string, pid: number): string {
  const end = `-${pid}`
  const start = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, MAX_CHARS - end.length)
  return `${start || 'gateway'}${end}`
}
