/** Runs tasks, so many at a time. */
export async function atOnce(limit: number, tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = tasks.values()
  await Promise.all(
    Array.from({ length: limit }, async () => {
      for (const task of waiting) await task()
    }),
  )
}
