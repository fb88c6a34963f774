/** A stream of numbers that is the same for the same seed. For demo data: nothing here is a secret. */
export interface Random {
  /** Evenly in [0, 1). */
  float(): number
  /** Normally distributed, mean 0, standard deviation 1. */
  normal(): number
}

/**
 * sfc32 by Chris Doty-Humphrey (PractRand): 128 bits of state, a period of at least 2^32, a few operations for each.
 */
export function createRandom(seed: number): Random {
  let a = 0
  let b = seed | 0
  let c = Math.floor(seed / 2 ** 32) | 0
  let counter = 1

  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  // Seeds that differ in one bit have to part ways first: PractRand's own seeding discards twelve numbers.
  for (let i = 0; i < 12; i++) next()

  const float = () => next() / 2 ** 32
  return {
    float,
    // Box and Muller; 1 - u is never 0, whose logarithm is infinite.
    normal: () => Math.sqrt(-2 * Math.log(1 - float())) * Math.cos(2 * Math.PI * float()),
  }
}
