/**
 * What each of several acts takes at best, in ms, measured in turn so that what else the machine does meets all alike.
 * A time by itself says how busy the machine is: tests compare one of these with another, of the same run.
 */
export async function bestMs<Name extends string>(
  rounds: number,
  acts: Readonly<Record<Name, (round: number) => unknown>>,
): Promise<Record<Name, number>> {
  const named = Object.entries(acts) as [Name, (round: number) => unknown][]
  const best = Object.fromEntries(named.map(([name]) => [name, Number.POSITIVE_INFINITY])) as Record<Name, number>
  for (let round = 0; round < rounds; round++) {
    for (const [name, act] of named) {
      const begin = performance.now()
      await act(round)
      best[name] = Math.min(best[name], performance.now() - begin)
    }
  }
  return best
}
