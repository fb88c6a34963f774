import { setTimeout as delay } from 'node:timers/promises'

/** Waits until a condition holds, and says what it waited for if that takes too long. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs
  for (;;) {
    if (await holds()) return
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`)
    await delay(5)
  }
}
