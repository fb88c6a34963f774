/** Fewer different keys are rather properties that may be absent. */
const MIN_KEYS = 12
/** No two of so many objects have a key in common: keys are data, even if they are fewer. */
const MIN_UNIQUE = 3
/** Share of the objects that have a key, on average, below which keys are data. */
const MAX_PRESENCE = 0.25
/** Longer ones are no names of properties. */
const MAX_NAME = 64

const DATA_KEYS: readonly RegExp[] = [
  /^-?\d+(\.\d+)?$/, // numbers
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, // UUIDs
  /^(?=.*\d)[0-9a-f]{12,}$/i, // hashes
  /^\d{4}-\d\d/, // dates
  /^\+?[\d ()-]{6,}$/, // phones
  /@|:\/\/|\s.*\s/, // addresses, URLs, sentences
  /\d{4,}/, // numbered ids
]

/** Whether the keys of these objects are data, not names of properties. */
export function isMap(objects: readonly object[]): boolean {
  const counts = new Map<string, number>()
  for (const object of objects) for (const key of Object.keys(object)) counts.set(key, (counts.get(key) ?? 0) + 1)
  if (counts.size === 0) return false
  const keys = [...counts.keys()]
  const dataLike = keys.filter((key) => key.length > MAX_NAME || DATA_KEYS.some((pattern) => pattern.test(key)))
  if (dataLike.length * 2 > keys.length) return true
  if (
    objects.length >= MIN_UNIQUE &&
    keys.length >= objects.length &&
    [...counts.values()].every((each) => each === 1)
  ) {
    return true
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return counts.size >= MIN_KEYS && total / counts.size / objects.length <= MAX_PRESENCE
}
