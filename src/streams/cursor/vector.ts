/**
 * Next wanted offset by partition number, `UNKNOWN` for a partition that is not known yet. A partition beyond the end
 * of the list is not known either.
 */
export type Vector = readonly number[]
export const UNKNOWN = -1

/** Maximum of two vectors by partition. A partition that only one of them knows is kept. */
export function maxOf(a: Vector, b: Vector): number[] {
  const max = new Array<number>(Math.max(a.length, b.length))
  for (let partition = 0; partition < max.length; partition++) {
    max[partition] = Math.max(a[partition] ?? UNKNOWN, b[partition] ?? UNKNOWN)
  }
  return max
}

/** Whether `a` is at or after `b` in every partition. */
export function covers(a: Vector, b: Vector): boolean {
  for (let partition = 0; partition < b.length; partition++) {
    if ((a[partition] ?? UNKNOWN) < (b[partition] as number)) return false
  }
  return true
}

/** Partition limit of a topic: a cursor names each of them, and has to fit into a header. */
export const MAX_PARTITIONS = 256
