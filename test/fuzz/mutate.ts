import type { Random } from '../soak/random.ts'

const ODD = [
  '',
  '=',
  '.',
  '..',
  '%',
  '+',
  ' ',
  '\t',
  'é',
  '"',
  '\\',
  '{',
  '[',
  '/',
  '-',
  '_',
  'A',
  '\u0000',
  '\ufeff',
  '🂡',
]

/** A text with some characters other than they were: cut, doubled, replaced, or with odd ones between. */
export function mutateText(random: Random, text: string): string {
  let mutated = text
  for (let i = random.between(1, 4); i > 0; i--) {
    const at = random.int(mutated.length + 1)
    const count = random.chance(0.8) ? random.int(3) : random.int(mutated.length - at + 1)
    const put = random.weighted([
      [5, () => random.pick(ODD)],
      [4, () => String.fromCharCode(33 + random.int(94))],
      [2, () => mutated.slice(at, at + count).repeat(2)],
      [1, () => mutated.slice(random.int(mutated.length + 1), random.int(mutated.length + 1))],
      [0.2, () => 'x'.repeat(random.int(5_000))],
    ])()
    mutated = mutated.slice(0, at) + put + mutated.slice(at + count)
  }
  return mutated
}

/** Bytes with some bits or bytes other than they were, or cut. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const mutated = Buffer.from(bytes)
  if (mutated.length === 0) return mutated
  for (let i = random.between(1, 6); i > 0; i--) {
    const at = random.int(mutated.length)
    mutated[at] = random.chance(0.5) ? random.int(256) : (mutated[at] as number) ^ (1 << random.int(8))
  }
  return random.chance(0.2) ? mutated.subarray(0, random.int(mutated.length)) : mutated
}
