/** A gateway on a memory log, for other people's tests. */
export {}
