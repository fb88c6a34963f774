/** Preloaded, with --expose-gc, where a scenario wants to know what is left after garbage collection. */
process.on('SIGUSR2', () => globalThis.gc?.())
